import { describe, expect, test } from 'bun:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { decodeBase64, encodeBase64 } from '#core/base64.ts'
import { sha256 } from '#core/digest.ts'
import type { Json, JsonObject, Pdu } from '#schema/pdu.ts'
import { redactEvent } from '#core/redaction.ts'
import {
  checkCurve25519Key,
  checkPublicKey,
  checkSignedBy,
  eventSigningText,
  PUBLIC_KEY_CACHE_LIMIT,
  putBounded,
  serversThatMustSign,
  signedText,
  signEvent,
  signingKeyFromSeed,
  signJson,
  signText,
  VERIFY_IN_FLIGHT,
  verifyBatch,
  verifyJson,
  verifyText,
} from '#core/signing.ts'
import type { ServerName } from '#schema/identifiers.ts'
import vectors from '#fixtures/spec-vectors.json' with { type: 'json' }
import { arbitraryDraft, arbitraryRules, rulesOf } from './arbitrary-event.ts'

const seedOf = (name: string) => sha256(name)
const specSeed = decodeBase64(vectors.signingKey.seed) ?? new Uint8Array()
const specKey = signingKeyFromSeed(vectors.signingKey.keyId, specSeed)
const domain = vectors.signingKey.serverName as ServerName
const aExample = 'a.example' as ServerName
const bExample = 'b.example' as ServerName
const aliceKey = signingKeyFromSeed('ed25519:a_x', seedOf('alice'))
const bobKey = signingKeyFromSeed('ed25519:b_y', seedOf('bob'))

describe('signing keys', () => {
  test('the seed that the spec prints makes its public key', () => {
    expect(specKey.publicKey).toBe(vectors.signingKey.publicKey)
    expect(specKey.keyId).toBe('ed25519:1')
  })

  test.each([
    ['a short seed', 'ed25519:1', 31],
    ['a long seed', 'ed25519:1', 33],
    ['another algorithm', 'rsa:1', 32],
    ['a key id without a name', 'ed25519:', 32],
    ['a key id with other characters', 'ed25519:a-b', 32],
  ])('%s makes no key', (_says, keyId, length) => {
    expect(() => signingKeyFromSeed(keyId, new Uint8Array(length))).toThrow(RangeError)
  })
})

describe('signed JSON', () => {
  test.each(vectors.signedJson)('the spec signs $signedText so', ({ input, signed, signedText: text }) => {
    expect(signedText(input)).toBe(text)
    expect<unknown>(signJson(input, domain, specKey)).toEqual(signed)
    expect(verifyJson(signed, domain, 'ed25519:1', specKey.publicKey)).toBe(true)
  })

  test.each(vectors.federationRequests)('the request $method $uri is signed so', (request) => {
    const { method, uri, content, header } = request
    const origin = { origin: 'domain', destination: 'other.example' }
    const object = { method, uri, ...origin, ...(content ? { content } : {}) }
    expect(signedText(object)).toBe(request.signed_bytes_utf8)
    expect(header).toContain(`sig="${signText(signedText(object), specKey)}"`)
  })

  test('the sample in the spec does not verify with the key inside it', () => {
    const sample = vectors.sampleSignedObject
    const key = sample.signing_keys['ed25519:1']
    expect(verifyJson(sample, 'example.org' as ServerName, 'ed25519:1', key)).toBe(false)
  })

  test('a signature joins those that are there and covers neither them nor unsigned data', () => {
    const object = { a: 1, unsigned: { age: 1 }, signatures: { 'b.example': { 'ed25519:b_y': 'x' } } }
    const once = signJson(object, aExample, aliceKey)
    const twice = signJson({ ...once, unsigned: { age: 2 } }, bExample, bobKey)
    const again = signJson(twice, aExample, bobKey)
    expect(again).toEqual({
      a: 1,
      unsigned: { age: 2 },
      signatures: {
        'a.example': {
          'ed25519:a_x': signText('{"a":1}', aliceKey),
          'ed25519:b_y': signText('{"a":1}', bobKey),
        },
        'b.example': { 'ed25519:b_y': signText('{"a":1}', bobKey) },
      },
    })
    expect(verifyJson(again, aExample, 'ed25519:a_x', aliceKey.publicKey)).toBe(true)
    expect(object.signatures).toEqual({ 'b.example': { 'ed25519:b_y': 'x' } })
  })

  test('malformed signatures are replaced, not built upon', () => {
    for (const signatures of [null, 5, [], { 'a.example': 'x' }] as Json[]) {
      const signed = signJson({ signatures } as JsonObject, aExample, aliceKey)
      expect(signed.signatures).toEqual({ 'a.example': { 'ed25519:a_x': signText('{}', aliceKey) } })
    }
  })

  test('a top-level key named __proto__ is signed', () => {
    const object = JSON.parse('{"unsigned":1,"__proto__":{"b":1,"a":2}}')
    expect(signedText(object)).toBe('{"__proto__":{"a":2,"b":1}}')
  })

  const signed = signJson({ a: 1 }, aExample, aliceKey)
  test.each([
    ['the signature fits', signed, 'a.example', 'ed25519:a_x', aliceKey.publicKey, true],
    ['another server has not signed', signed, 'b.example', 'ed25519:a_x', aliceKey.publicKey, false],
    ['another key id has not signed', signed, 'a.example', 'ed25519:b_y', aliceKey.publicKey, false],
    ['another key does not fit', signed, 'a.example', 'ed25519:a_x', bobKey.publicKey, false],
    ['no other object fits', { ...signed, a: 2 }, 'a.example', 'ed25519:a_x', aliceKey.publicKey, false],
    ['an unsigned object is not signed', { a: 1 }, 'a.example', 'ed25519:a_x', aliceKey.publicKey, false],
    ['what all objects inherit is no server', signed, 'constructor', 'name', aliceKey.publicKey, false],
  ] as const)('%s', (_says, object, server, keyId, publicKey, fits) => {
    expect(verifyJson(object, server as ServerName, keyId, publicKey)).toBe(fits)
  })
})

describe('verifyText', () => {
  const signature = signText('hi', aliceKey)
  test.each([
    ['the signature fits', aliceKey.publicKey, signature, true],
    ['padding makes no difference', `${aliceKey.publicKey}=`, `${signature}==`, true],
    ['a signature of 63 bytes does not fit', aliceKey.publicKey, signature.slice(0, -2), false],
    ['no signature does not fit', aliceKey.publicKey, '', false],
    ['what is no base64 does not fit', aliceKey.publicKey, '*'.repeat(86), false],
    ['a short key does not fit', aliceKey.publicKey.slice(0, -2), signature, false],
    ['a key that is no base64 does not fit', '*', signature, false],
  ])('%s', (_says, publicKey, given, fits) => {
    expect(verifyText(publicKey, 'hi', given)).toBe(fits)
  })

  test('keys are kept ready, and beyond the limit the oldest is forgotten', () => {
    const kept = new Map<number, string>()
    for (let at = 0; at <= PUBLIC_KEY_CACHE_LIMIT; at++) putBounded(kept, at, 'x', PUBLIC_KEY_CACHE_LIMIT)
    expect([kept.size, kept.has(0), kept.has(1)]).toEqual([PUBLIC_KEY_CACHE_LIMIT, false, true])
    const fits = (text: string) => verifyText(aliceKey.publicKey, text, signature)
    expect([fits('hi'), fits('ho'), fits('hi')]).toEqual([true, false, true])
  })
})

describe('verifyBatch', () => {
  const items = Array.from({ length: 3 * VERIFY_IN_FLIGHT + 1 }, (_, at) => {
    const item = { publicKey: aliceKey.publicKey, text: `message ${at}`, signature: signText(`message ${at}`, aliceKey) }
    const damaged = [{}, { text: 'another' }, { signature: '*' }, { publicKey: '' }, { publicKey: bobKey.publicKey }]
    return { ...item, ...damaged[at % damaged.length] }
  })

  test('answers what verifyText answers, in the order of the items', async () => {
    const expected = items.map(({ publicKey, text, signature }) => verifyText(publicKey, text, signature))
    expect(await verifyBatch(items)).toEqual(expected)
    expect(expected.filter(Boolean)).toHaveLength(Math.ceil(items.length / 5))
  })

  test('of nothing is nothing', async () => {
    expect(await verifyBatch([])).toEqual([])
  })
})

const point = (hex: string) => encodeBase64(Uint8Array.fromHex(hex))
const SMALL_ORDER = [
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
]
const mixedOrder = () =>
  encodeBase64(ed25519.Point.BASE.add(ed25519.Point.fromHex(SMALL_ORDER[4] as string)).toBytes())

describe('checkPublicKey', () => {
  test.each([
    ['a key passes', aliceKey.publicKey, 'ok'],
    ['a padded key passes', `${aliceKey.publicKey}=`, 'ok'],
    ...SMALL_ORDER.map((hex): [string, string, string] => [`${hex} is refused`, point(hex), 'key.order']),
    ['a key with a part of small order is refused', mixedOrder(), 'key.order'],
    ['a key off the curve is refused', point(`02${'00'.repeat(31)}`), 'key.curve'],
    ['another way to write a point is refused', point(`ee${'ff'.repeat(30)}7f`), 'key.curve'],
    ['a short key is refused', point('00'.repeat(31)), 'key.length'],
    ['what is no base64 is refused', '*', 'key.length'],
  ])('%s', (_says, key, rule) => {
    const verdict = checkPublicKey(key)
    expect(verdict.ok ? 'ok' : verdict.rule).toBe(rule)
  })
})

describe('checkCurve25519Key', () => {
  test.each([
    ['a key passes', point('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'), 'ok'],
    ['zero is refused', point('00'.repeat(32)), 'key.order'],
    ['one is refused', point(`01${'00'.repeat(31)}`), 'key.order'],
    ['p − 1 is refused', point(`ec${'ff'.repeat(30)}7f`), 'key.order'],
    ['p is refused', point(`ed${'ff'.repeat(30)}7f`), 'key.order'],
    ['p + 1 is refused', point(`ee${'ff'.repeat(30)}7f`), 'key.order'],
    [
      'a point of order 8 is refused',
      point('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
      'key.order',
    ],
    [
      'the other point of order 8 is refused',
      point('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
      'key.order',
    ],
    ['a long key is refused', point('09'.repeat(33)), 'key.length'],
    ['no key is refused', '', 'key.length'],
  ])('%s', (_says, key, rule) => {
    const verdict = checkCurve25519Key(key)
    expect(verdict.ok ? 'ok' : verdict.rule).toBe(rule)
  })
})

describe('signed events', () => {
  const printed = vectors.events.map(({ signed }) => signed as unknown as Pdu)

  test.each([
    ['1', 0],
    ['10', 0],
    ['1', 1],
    ['10', 1],
  ])('G-04: version %s signs the printed event %d as the spec does', (version, at) => {
    const event = printed[at] as Pdu
    const { signatures: _, ...unsigned } = event
    expect(signEvent(rulesOf(version), unsigned, domain, specKey)).toEqual(event)
    expect(eventSigningText(rulesOf(version), event)).toBe(
      vectors.events[at]?.derived.signature_input_utf8_room_versions_1_to_10 ?? '',
    )
  })

  test('G-04: from version 11 the origin is not signed', () => {
    const event = printed[0] as Pdu
    const { derived } = vectors.events[0] ?? {}
    const signed = signEvent(rulesOf('11'), { ...event, signatures: {} }, domain, specKey)
    expect(signed.signatures).toEqual({ domain: { 'ed25519:1': derived?.signature_room_version_11 ?? '' } })
    expect(eventSigningText(rulesOf('11'), event)).toBe(derived?.signature_input_utf8_room_version_11 ?? '')
  })

  test('the create event of version 12 is signed as derived', () => {
    const event = vectors.createEventV12.event as unknown as Pdu
    expect(signEvent(rulesOf('12'), { ...event, signatures: {} }, domain, specKey)).toEqual(event)
  })

  test('a second server adds its signature to the first', () => {
    const event = printed[0] as Pdu
    const both = signEvent(rulesOf('10'), event, bExample, bobKey)
    expect(Object.keys(both.signatures ?? {})).toEqual(['domain', 'b.example'])
    expect(both.signatures?.['domain']).toEqual(event.signatures?.['domain'] ?? {})
  })

  test('a signature survives redaction', () => {
    fc.assert(
      fc.property(versionedEvent, ([rules, pdu]) => {
        const signed = signEvent(rules, pdu, aExample, aliceKey)
        const redacted = redactEvent(rules, signed)
        const check = (event: Pdu) =>
          checkSignedBy(eventSigningText(rules, event), event.signatures, aExample, () => aliceKey.publicKey)
        expect([check(signed), check(redacted)]).toEqual([{ ok: true }, { ok: true }])
        expect(check({ ...redacted, depth: redacted.depth + 1 }).ok).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

const versionedEvent = arbitraryRules.chain((rules) =>
  arbitraryDraft(rules).map((draft) => [rules, { ...draft, hashes: { sha256: 'x' } }] as const),
)

describe('serversThatMustSign', () => {
  const event: Pdu = {
    type: 'm.room.member',
    room_id: '!den:a.example',
    sender: '@charlie:b.example',
    state_key: '@charlie:b.example',
    event_id: '$1:c.example',
    content: { membership: 'join' },
    origin_server_ts: 1,
    depth: 1,
    prev_events: [],
    auth_events: [],
  }
  const restricted = { membership: 'join', join_authorised_via_users_server: '@alice:a.example' }
  const thirdParty = { membership: 'invite', third_party_invite: { signed: {} } }

  test.each([
    ["the sender's server signs", '12', event, ['b.example']],
    ['in version 2 that of the event id signs too', '2', event, ['b.example', 'c.example']],
    ['in version 3 it does not', '3', event, ['b.example']],
    ['one that is both signs once', '1', { ...event, event_id: '$1:b.example' }, ['b.example']],
    [
      'in a restricted join the authorising server signs',
      '8',
      { ...event, content: restricted },
      ['b.example', 'a.example'],
    ],
    ['before version 8 it does not', '7', { ...event, content: restricted }, ['b.example']],
    [
      'only a join is authorised',
      '12',
      { ...event, content: { ...restricted, membership: 'leave' } },
      ['b.example'],
    ],
    ['only a member event is authorised', '12', { ...event, type: 'x', content: restricted }, ['b.example']],
    [
      'nobody can sign for an authoriser that is no user',
      '12',
      { ...event, content: { ...restricted, join_authorised_via_users_server: 5 } },
      ['b.example', ''],
    ],
    ['an invite made from a third-party invite needs no sender', '12', { ...event, content: thirdParty }, []],
    ['in version 1 it still needs the event id', '1', { ...event, content: thirdParty }, ['c.example']],
    [
      'a join that mentions a third-party invite is a join',
      '12',
      { ...event, content: { ...thirdParty, membership: 'join' } },
      ['b.example'],
    ],
  ] as [string, string, Pdu, string[]][])('G-11: %s', (_says, version, pdu, servers) => {
    expect<string[]>(serversThatMustSign(rulesOf(version), pdu)).toEqual(servers)
  })
})

describe('checkSignedBy', () => {
  const right = signText('hi', aliceKey)
  const keys: Record<string, string> = {
    'ed25519:a_x': aliceKey.publicKey,
    'ed25519:b_y': bobKey.publicKey,
    'rsa:1': aliceKey.publicKey,
  }

  test.each([
    ['one right signature is enough', { 'ed25519:a_x': right }, 'ok'],
    ['an unknown key is passed over', { 'ed25519:a_x': right, 'ed25519:z': 'x' }, 'ok'],
    ['another algorithm is passed over', { 'ed25519:a_x': right, 'rsa:1': 'x' }, 'ok'],
    ['every known key has to fit', { 'ed25519:a_x': right, 'ed25519:b_y': right }, 'signature.wrong'],
    ['a signature that is no text does not fit', { 'ed25519:a_x': 5 }, 'signature.wrong'],
    ['unknown keys alone are not enough', { 'ed25519:z': right }, 'signature.missing'],
    ['no signature is not enough', {}, 'signature.missing'],
    ['a text is no signatures', 'x', 'signature.missing'],
  ] as [string, Json, string][])('G-11: %s', (_says, signatures, rule) => {
    const verdict = checkSignedBy('hi', { 'a.example': signatures }, aExample, (keyId) => keys[keyId])
    expect(verdict.ok ? 'ok' : verdict.rule).toBe(rule)
  })

  test('an object without signatures has none', () => {
    expect(checkSignedBy('hi', undefined, aExample, () => aliceKey.publicKey).ok).toBe(false)
  })
})

describe('node:crypto beside @noble/curves', () => {
  const agrees = (key: Uint8Array, text: string, signature: Uint8Array): boolean => {
    const ours = verifyText(encodeBase64(key), text, encodeBase64(signature))
    const theirs = nobleVerifies(key, text, signature)
    if (ours !== theirs) throw new Error(`${key.toHex()} ${text} ${signature.toHex()}: we say ${ours}`)
    return ours
  }

  test.each([0, 2500, 5000, 7500])('they agree on 2,500 signatures good and damaged, from %d on', (start) => {
    let good = 0
    for (let at = start; at < start + 2500; at++) {
      const key = signingKeyFromSeed('ed25519:x', seedOf(`key ${at % 97}`))
      const publicKey = decodeBase64(key.publicKey) ?? new Uint8Array()
      const text = `message ${at}`
      const signature = decodeBase64(signText(text, key)) ?? new Uint8Array()
      const damage = DAMAGES[at % DAMAGES.length] as Damage
      if (agrees(...damage(publicKey, text, signature, at))) good++
    }
    expect(good).toBe(2500 / DAMAGES.length)
  }, 30_000)

  test('they make the same keys and signatures', () => {
    for (let at = 0; at < 100; at++) {
      const seed = seedOf(`seed ${at}`)
      const key = signingKeyFromSeed('ed25519:x', seed)
      expect(decodeBase64(key.publicKey)).toEqual(ed25519.getPublicKey(seed))
      const theirs = ed25519.sign(new TextEncoder().encode(`${at}`), seed)
      expect(decodeBase64(signText(`${at}`, key))).toEqual(theirs)
    }
  })
})

function nobleVerifies(key: Uint8Array, text: string, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, new TextEncoder().encode(text), key, { zip215: false })
  } catch {
    return false
  }
}

type Signed = [key: Uint8Array, text: string, signature: Uint8Array]
type Damage = (key: Uint8Array, text: string, signature: Uint8Array, at: number) => Signed

const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

/** The order of the group: a signature's second half, raised by it, is the same number written otherwise. */
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

const raised = (signature: Uint8Array): Uint8Array => {
  const half = BigInt(`0x${signature.slice(32).toReversed().toHex()}`) + GROUP_ORDER
  const bytes = Uint8Array.fromHex(half.toString(16).padStart(64, '0')).reverse()
  return Uint8Array.from([...signature.slice(0, 32), ...bytes])
}

const DAMAGES: readonly Damage[] = [
  (key, text, signature) => [key, text, signature],
  (key, text, signature, at) => [key, text, flipped(signature, (at * 7) % 512)],
  (key, text, signature) => [key, `${text}.`, signature],
  (key, text, signature, at) => [flipped(key, (at * 11) % 256), text, signature],
  (key, text, signature) => [key, text, raised(signature)],
]
