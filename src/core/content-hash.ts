import { decodeBase64 } from './base64.ts'
import { canonicalJson } from './canonical-json.ts'
import { sha256, sha256Base64 } from './digest.ts'
import type { Json, Pdu } from '#schema/pdu.ts'

// Some peers leave out `age_ts`, `outlier` and `destinations` too, which old servers sent; the spec does not.
const NOT_HASHED = new Set(['hashes', 'signatures', 'unsigned'])

/** Whether the content hash covers a key of the event. */
export const isContentHashed = (key: string): boolean => !NOT_HASHED.has(key)

/**
 * SHA-256 of the whole event but its hashes, signatures and unsigned data, in unpadded base64.
 * spec: server-server-api#calculating-the-content-hash-for-an-event
 */
export const contentHash = (pdu: Pdu): string => sha256Base64(hashedText(pdu))

/**
 * Whether the event's own `hashes.sha256` fits. If not, the event is not refused: its redacted form is used.
 * spec: server-server-api#validating-hashes-and-signatures-on-received-events
 */
export function checkContentHash(pdu: Pdu): boolean {
  const claimed = pdu.hashes?.sha256
  const bytes = typeof claimed === 'string' ? decodeBase64(claimed) : undefined
  return bytes !== undefined && Buffer.compare(bytes, sha256(hashedText(pdu))) === 0
}

function hashedText(pdu: Pdu): string {
  const entries: [string, Json | undefined][] = Object.entries(pdu)
  return canonicalJson(Object.fromEntries(entries.filter(([key]) => isContentHashed(key))) as Json)
}
