import { describe, expect, test } from 'bun:test'
import { encodeBase64 } from '#core/base64.ts'
import { canonicalJson } from '#core/canonical-json.ts'
import { contentHash } from '#core/content-hash.ts'
import { sha256Base64 } from '#core/digest.ts'
import { eventIdOf, referenceHash } from '#core/event-id.ts'
import { type Json, type Pdu, referencedIds } from '#schema/pdu.ts'
import { redactEvent } from '#core/redaction.ts'
import { KNOWN_ROOM_VERSIONS, type RoomVersionRules } from '#core/room-version.ts'
import { loadFixture, rulesOf, unexplainedCases } from './fixture.ts'

type Digests = Readonly<{ contentHash: string; referenceHash: string; redacted: string }>
/** The distinct hashes of one event, then for each digest one base-36 index into them per room version. */
type Answer = readonly [hashes: readonly string[], contentHash: string, referenceHash: string, redacted: string]
type Fixture = Readonly<{
  events: readonly Pdu[]
  answers: readonly Answer[]
  differences: readonly Readonly<{ case: string }>[]
}>

const VERSIONS = KNOWN_ROOM_VERSIONS.map((version, at) => [version, at] as const)

const { events, answers, differences } = await loadFixture<Fixture>('encoding')

/** The events are kept as room version 3 writes them; this writes one as another version would. */
function asCarriedIn(rules: RoomVersionRules, event: Pdu, index: number): Pdu {
  if (rules.references === 'pairs') {
    const pairs = (field: 'auth_events' | 'prev_events') =>
      referencedIds(event[field]).map((id) => [id, { sha256: 'aGFzaA' }] as const)
    const [auth_events, prev_events] = [pairs('auth_events'), pairs('prev_events')]
    return { ...event, event_id: `$${index}:a.example`, auth_events, prev_events }
  }
  if (rules.roomIdFormat === 'domain' || event.type !== 'm.room.create') return event
  const { room_id: _, ...withoutRoom } = event
  return withoutRoom
}

const digestsOf = (rules: RoomVersionRules, pdu: Pdu): Digests => ({
  contentHash: contentHash(pdu),
  referenceHash: encodeBase64(referenceHash(rules, pdu)),
  redacted: sha256Base64(canonicalJson(redactEvent(rules, pdu) as Json)),
})

function answerFor(index: number, version: number): Digests {
  const [hashes = [], ...columns] = answers[index] ?? []
  const [contentHash = '', referenceHash = '', redacted = ''] = columns.map(
    (column) => hashes[Number.parseInt(column.charAt(version), 36)],
  )
  return { contentHash, referenceHash, redacted }
}

describe('the encoding of events, beside that of other servers', () => {
  test.each(VERSIONS)(
    'room version %s hashes and redacts 2,000 events as they do',
    (version, at) => {
      const rules = rulesOf(version)
      const ours = events.map((event, index) => digestsOf(rules, asCarriedIn(rules, event, index)))
      const wrong = ours.flatMap((digests, index) =>
        Bun.deepEquals(digests, answerFor(index, at)) ? [] : [{ index, type: events[index]?.type, digests }],
      )
      expect(wrong).toEqual([])
      expect(ours).toHaveLength(2000)
    },
  )

  test.each(VERSIONS)(
    'room version %s makes the event id of the reference hash in its own alphabet',
    (version, at) => {
      const rules = rulesOf(version)
      const expected = (index: number) => {
        const { referenceHash } = answerFor(index, at)
        if (rules.eventIdFormat === 'domain') return `$${index}:a.example`
        if (rules.eventIdFormat === 'base64') return `$${referenceHash}`
        return `$${referenceHash.replaceAll('+', '-').replaceAll('/', '_')}`
      }
      const ours = events.map((event, index) => eventIdOf(rules, asCarriedIn(rules, event, index)))
      expect(ours).toEqual(events.map((_, index) => expected(index) as `$${string}`))
    },
  )

  test('whatever the other servers disagree on is written up', async () => {
    expect(await unexplainedCases(differences.map((difference) => difference.case))).toEqual([])
  })
})
