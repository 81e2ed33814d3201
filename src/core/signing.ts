import type * as Curves from '@noble/curves/ed25519.js'
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { serverNameOf, type ServerName } from '#schema/identifiers.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { canonicalJson } from './canonical-json.ts'
import { isJsonObject, ownValue } from './event-content.ts'
import type { Json, JsonObject, Pdu, Signatures } from '#schema/pdu.ts'
import { redactEvent } from './redaction.ts'
import type { RoomVersionRules } from './room-version.ts'
import { allow, deny, type Verdict } from './verdict.ts'

// Loaded when the first foreign key comes: it is a tenth of what a start loads, and many a server never needs it.
const curves = () => require('@noble/curves/ed25519.js') as typeof Curves

/** An Ed25519 key to sign with. */
export type SigningKey = Readonly<{
  /** With its algorithm, such as `ed25519:a_x`. */
  keyId: string
  privateKey: KeyObject
  /** Unpadded base64. */
  publicKey: string
}>

/** How many foreign public keys are kept ready for use. */
export const PUBLIC_KEY_CACHE_LIMIT = 4096

// The fixed beginnings of a PKCS #8 and of an SPKI file; the 32 bytes of the key follow. RFC 8410
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const KEY_BYTES = 32

/** The key that a seed of 32 bytes makes. Throws a `RangeError` for another length or a malformed key id. */
export function signingKeyFromSeed(keyId: string, seed: Uint8Array): SigningKey {
  if (seed.length !== KEY_BYTES) throw new RangeError('The seed of a signing key has 32 bytes')
  if (!/^ed25519:\w+$/.test(keyId)) throw new RangeError('A key id looks like ed25519:name')
  const pkcs8 = Buffer.concat([PKCS8_PREFIX, seed])
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { keyId, privateKey, publicKey: encodeBase64(spki.subarray(SPKI_PREFIX.length)) }
}

/** The signature of a text's UTF-8 form, in unpadded base64. */
export const signText = (text: string, key: SigningKey): string =>
  encodeBase64(sign(null, Buffer.from(text), key.privateKey))

/** What a signature of an object covers: its canonical JSON without `signatures` and `unsigned`. */
export function signedText(object: JsonObject): string {
  const { signatures: _signatures, unsigned: _unsigned, ...signed } = object
  return canonicalJson(signed)
}

/**
 * The object with one more signature; those it has stay.
 * spec: appendices#signing-details
 */
export function signJson<T extends JsonObject>(
  object: T,
  serverName: ServerName,
  key: SigningKey,
): T & { readonly signatures: Signatures } {
  return { ...object, signatures: withSignature(object['signatures'], serverName, key, signedText(object)) }
}

function withSignature(
  given: Json | undefined,
  serverName: ServerName,
  key: SigningKey,
  text: string,
): Signatures {
  const signatures = isJsonObject(given) ? given : {}
  const own = ownValue(signatures, serverName)
  return {
    ...signatures,
    [serverName]: { ...(isJsonObject(own) ? own : {}), [key.keyId]: signText(text, key) },
  } as Signatures
}

/** Whether a signature fits a text. Whatever is malformed does not fit. */
export function verifyText(publicKeyBase64: string, text: string, signature: string): boolean {
  const key = publicKeyOf(publicKeyBase64)
  const bytes = decodeBase64(signature)
  return key !== undefined && bytes !== undefined && verify(null, Buffer.from(text), key, bytes)
}

/** A signature in unpadded base64, what it is of, and the public key, in base64, that should have made it. */
export type SignedText = Readonly<{ publicKey: string; text: string; signature: string }>

/** How many verifications of one batch are under way at once; the threads that do them are two to four. */
export const VERIFY_IN_FLIGHT = 64

/**
 * `verifyText` for many at once, off the main thread and on all cores: the answers in the order of the items. The same
 * items have the same answers, whichever is done first.
 */
export async function verifyBatch(items: readonly SignedText[]): Promise<boolean[]> {
  const answers: boolean[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at]
      answers[at] = item !== undefined && (await verifyElsewhere(item))
    }
  }
  await Promise.all(Array.from({ length: Math.min(VERIFY_IN_FLIGHT, items.length) }, lane))
  return answers
}

function verifyElsewhere({ publicKey, text, signature }: SignedText): Promise<boolean> {
  const key = publicKeyOf(publicKey)
  const bytes = decodeBase64(signature)
  if (key === undefined || bytes === undefined) return Promise.resolve(false)
  return new Promise((resolve) => {
    verify(null, Buffer.from(text), key, bytes, (failure, fits) => resolve(failure === null && fits))
  })
}

/** Whether an object bears this server's signature by this key. spec: appendices#checking-for-a-signature */
export function verifyJson(
  object: JsonObject,
  serverName: ServerName,
  keyId: string,
  publicKeyBase64: string,
): boolean {
  const signature = signaturesOf(object['signatures'], serverName).get(keyId)
  return signature !== undefined && verifyText(publicKeyBase64, signedText(object), signature)
}

const publicKeys = new Map<string, KeyObject>()

/** The key ready for use, or undefined when it is none. */
function publicKeyOf(base64: string): KeyObject | undefined {
  const known = publicKeys.get(base64)
  if (known) return known
  const bytes = decodeBase64(base64)
  if (bytes?.length !== KEY_BYTES) return undefined
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' })
  putBounded(publicKeys, base64, key, PUBLIC_KEY_CACHE_LIMIT)
  return key
}

/** Puts an entry into a map that may not outgrow its limit: the oldest entry makes room. */
export function putBounded<K, V>(map: Map<K, V>, key: K, value: V, limit: number): void {
  map.set(key, value)
  const oldest = map.keys().next()
  if (map.size > limit && !oldest.done) map.delete(oldest.value)
}

/**
 * Whether a foreign Ed25519 key may be used at all: a point of the curve, written in its one way, and of
 * the prime order group. With another, implementations disagree on which signatures fit. To be asked once,
 * on first sight (about a millisecond).
 */
export function checkPublicKey(base64: string): Verdict {
  const bytes = decodeBase64(base64)
  if (bytes?.length !== KEY_BYTES) return deny('key.length', 'An Ed25519 key has 32 bytes in base64')
  try {
    const point = curves().ed25519.Point.fromBytes(bytes)
    if (point.isSmallOrder()) return deny('key.order', 'This Ed25519 key is a point of small order')
    if (!point.isTorsionFree()) return deny('key.order', 'This Ed25519 key is outside the prime order group')
    return allow
  } catch {
    return deny('key.curve', 'This Ed25519 key is no point of the curve')
  }
}

// Any scalar serves: the shared secret with a key of small order is zero whatever it is.
const ANY_SCALAR = new Uint8Array(KEY_BYTES).fill(0x42)

/** Whether a Curve25519 key, such as a device publishes, is usable: 32 bytes, not of small order. */
export function checkCurve25519Key(base64: string): Verdict {
  const bytes = decodeBase64(base64)
  if (bytes?.length !== KEY_BYTES) return deny('key.length', 'A Curve25519 key has 32 bytes in base64')
  try {
    curves().x25519.getSharedSecret(ANY_SCALAR, bytes)
    return allow
  } catch {
    return deny('key.order', 'This Curve25519 key is a point of small order')
  }
}

/**
 * What the signatures of an event cover, and what its reference hash is made of: the redacted event without
 * `signatures` and `unsigned`. spec: server-server-api#signing-events
 */
export const eventSigningText = (rules: RoomVersionRules, pdu: Pdu): string =>
  signedText(redactEvent(rules, pdu))

/** The event, whose content hash is already in it, with one more signature. */
export function signEvent(rules: RoomVersionRules, pdu: Pdu, serverName: ServerName, key: SigningKey): Pdu {
  return { ...pdu, signatures: withSignature(pdu.signatures, serverName, key, eventSigningText(rules, pdu)) }
}

/**
 * The servers without whose signature an event is dropped: the sender's, unless the event is an invite made
 * from a third-party invite; in old versions the one in the event id; in a restricted join the one that let
 * them in.
 * spec: server-server-api#validating-hashes-and-signatures-on-received-events and
 * rooms/v8#authorisation-rules
 */
export function serversThatMustSign(rules: RoomVersionRules, pdu: Pdu): ServerName[] {
  const servers = new Set<ServerName>()
  if (!isThirdPartyInvite(pdu)) servers.add(serverNameOf(pdu.sender))
  if (rules.eventIdSigned) servers.add(serverNameOf(pdu.event_id ?? ''))
  const authoriser = rules.restrictedJoin ? authoriserOf(pdu) : undefined
  if (authoriser !== undefined) servers.add(serverNameOf(authoriser))
  return [...servers]
}

const isThirdPartyInvite = ({ type, content }: Pdu): boolean =>
  type === 'm.room.member' &&
  content['membership'] === 'invite' &&
  ownValue(content, 'third_party_invite') !== undefined

/** Whoever authorised a join; what is no user id names no server, and so nobody can have signed for it. */
function authoriserOf({ type, content }: Pdu): string | undefined {
  if (type !== 'm.room.member' || content['membership'] !== 'join') return undefined
  const authoriser = ownValue(content, 'join_authorised_via_users_server')
  return authoriser === undefined || typeof authoriser === 'string' ? authoriser : ''
}

/**
 * Whether a server has signed a text: with a key that we know at the least, and with no key that we know
 * wrongly. `findKey` gives the public key, in base64, of an id such as `ed25519:1`; unknown ones are passed
 * over.
 */
export function checkSignedBy(
  text: string,
  signatures: Json | undefined,
  serverName: ServerName,
  findKey: (keyId: string) => string | undefined,
): Verdict {
  let known = 0
  for (const [keyId, signature] of signaturesOf(signatures, serverName)) {
    const publicKey = keyId.startsWith('ed25519:') ? findKey(keyId) : undefined
    if (publicKey === undefined) continue
    if (!verifyText(publicKey, text, signature)) {
      return deny('signature.wrong', `${keyId} of ${serverName} did not sign this`)
    }
    known++
  }
  return known > 0 ? allow : deny('signature.missing', `${serverName} has not signed this with a known key`)
}

/** The signatures that an object claims for a server, by key id. One that is no text fits nothing. */
function signaturesOf(signatures: Json | undefined, serverName: ServerName): Map<string, string> {
  const own = isJsonObject(signatures) ? ownValue(signatures, serverName) : undefined
  const entries = isJsonObject(own) ? Object.entries(own) : []
  return new Map(entries.map(([keyId, signature]) => [keyId, typeof signature === 'string' ? signature : '']))
}
