import { describe, expect, test } from 'bun:test'
import { decodeBase64, encodeBase64 } from '#core/base64.ts'
import { sha256Base64 } from '#core/digest.ts'
import { checkEventFormat } from '#core/event-format.ts'
import { parseXMatrix } from '#core/x-matrix.ts'
import { createDag, furnishedRoom, joinOf, messageBy, outcome, powerLevelsBy, rulesOf } from '#harness/dag.ts'

/**
 * Where the specification contradicts itself or what all servers do, as far as the core is concerned. The numbers are
 * those of a list of such places, in the order in which they were met: K-03, K-05 and K-08 fall to the core. K-01 (whose
 * token `room_summary` takes), K-04 (what a capability is called) and K-09 (where a 429 may come) have their tests with
 * these endpoints. K-02 (versions of operations) asks nothing of a server; K-06 (v1 `send_join` in the list of ACL-guarded
 * paths) and K-07 (`M_MISSING_PARAMS`) are about endpoints that are not served.
 */
describe('faults of the specification', () => {
  test.each([
    ['sig, as its examples and all servers have it', 'sig'],
    ['signature, as its list of parameters has it', 'signature'],
  ])('K-03: the signature of a request may be called %s', (_says, name) => {
    const parsed = parseXMatrix(`X-Matrix origin="a.example",key="ed25519:1",${name}="abc"`)
    expect('ok' in parsed ? [] : parsed.map(({ sig }) => sig)).toEqual(['abc'])
  })

  test('K-03: where both are given, sig counts', () => {
    const parsed = parseXMatrix('X-Matrix origin="a.example",key="ed25519:1",signature="old",sig="abc"')
    expect('ok' in parsed ? [] : parsed.map(({ sig }) => sig)).toEqual(['abc'])
  })

  const seals = { hashes: { sha256: 'x' }, signatures: {} }
  const { room_id: _room, ...withoutRoom } = { ...furnishedRoom('12').make(messageBy('@alice:a.example')).pdu, ...seals }

  test('K-05: in version 12 a create event has no room id, though the schema of events asks for one', () => {
    const create = { ...createDag('12').create.pdu, ...seals }
    expect(outcome(checkEventFormat(rulesOf('12'), create))).toBe('allow')
    expect(outcome(checkEventFormat(rulesOf('12'), { ...create, room_id: '!den:a.example' }))).toBe('format.room_id')
  })

  test('K-05: every other event of version 12 has one', () => {
    expect(outcome(checkEventFormat(rulesOf('12'), withoutRoom))).toBe('format.room_id')
  })

  test('K-05: version 12 prints no rule 3.4, so auth events without the create event pass and with it do not', () => {
    const dag = furnishedRoom('12')
    const lawful = dag.make(messageBy('@alice:a.example'))
    const cited = dag.events.filter(({ eventId }) => lawful.pdu.auth_events.includes(eventId))
    expect(outcome(dag.check(lawful))).toBe('allow')
    expect(outcome(dag.check(dag.make({ ...messageBy('@alice:a.example'), authEvents: [...cited, dag.create] })))).toBe('auth.auth_events.2')
  })

  test('K-05: version 12 prints rule 10.10 twice: the first denies a level above one’s own, the second allows the rest', () => {
    const dag = furnishedRoom('12', { levels: { users: { '@bob:a.example': 100 } }, members: { '@bob:a.example': 'join' } })
    const given = (level: number): string =>
      outcome(dag.check(dag.make(powerLevelsBy('@bob:a.example', { users: { '@bob:a.example': 100, '@charlie:b.example': level } }))))
    expect([given(101), given(100)]).toEqual(['auth.power_levels.10.1', 'allow'])
  })

  test('K-08: the secret in the printed QR code is right, though the event beside it bears a room’s sigil', () => {
    expect(encodeBase64(Buffer.from('2021222324252627', 'hex'))).toBe('ICEiIyQlJic')
  })

  test('K-08: the printed proof key is shorter than its own standard asks, and its challenge is right all the same', () => {
    const verifier = 'ogie4iVaeteeKeeLaid0aizuimairaCh'
    expect(verifier).toHaveLength(32)
    expect(sha256Base64(verifier, true)).toBe('72xySjpngTcCxgbPfFmkPHjMvVDl2jW1aWP7-J6rmwU')
  })

  test('the printed seed of a signing key has stray bits behind its last byte, and is read', () => {
    const seed = decodeBase64('YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1')
    expect(seed).toHaveLength(32)
    expect(encodeBase64(seed ?? new Uint8Array())).toBe('YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0')
  })

  test('the create event of a room by alice is never cited in version 12, not even by her own join', () => {
    const dag = createDag('12')
    expect(dag.make(joinOf('@alice:a.example')).pdu.auth_events).toEqual([])
  })
})
