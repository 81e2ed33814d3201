import type { ServerName } from '#schema/identifiers.ts'
import { badJson, tooLarge, type MatrixError } from '#schema/matrix-error.ts'
import { byCodePoint, canonicalJson } from './canonical-json.ts'
import { isContentHashed } from './content-hash.ts'
import { sha256, sha256Base64 } from './digest.ts'
import { checkEventFormat, checkEventSize } from './event-format.ts'
import { eventIdOfHash, roomIdOf } from './event-id.ts'
import type { Json, JsonObject, Pdu, RoomEvent } from './pdu.ts'
import { redactContent } from './redaction.ts'
import type { RoomVersionRules } from './room-version.ts'
import { signText, type SigningKey } from './signing.ts'
import type { Denial } from './verdict.ts'

export type Draft = Omit<Pdu, 'hashes' | 'signatures'>

/**
 * Finishes an event of ours: content hash, signature, id. `json` is the canonical text of `event.pdu`,
 * which has no `unsigned`, and an `event_id` only in room versions 1 and 2, where the draft has to bring
 * it.
 *
 * Throws `M_TOO_LARGE` (413) if the event or one of its fields is over its limit, `M_BAD_JSON` (400) if its
 * form is wrong or, from room version 6, its JSON is not canonical.
 * spec: server-server-api#adding-hashes-and-signatures-to-outgoing-events
 */
export function sealEvent(
  rules: RoomVersionRules,
  draft: Draft,
  serverName: ServerName,
  key: SigningKey,
): { event: RoomEvent; json: string } {
  const unsealed = withoutLocalKeys(rules, draft)
  // Each member is written once; the three texts that are hashed, signed and sent are put together from them.
  const members = membersOf(unsealed)
  const hashes = { sha256: sha256Base64(joined(members.filter(({ key }) => isContentHashed(key)))) }
  write(members, 'hashes', hashes)

  const redacted = membersLeft(rules, unsealed, members)
  const signedText = joined(redacted)
  const signatures = { [serverName]: { [key.keyId]: signText(signedText, key) } }
  write(members, 'signatures', signatures)

  const pdu: Pdu = { ...unsealed, hashes, signatures }
  const json = joined(members)
  refuseIf(checkEventFormat(rules, pdu))
  refuseIf(checkEventSize(json))
  const eventId = unsealed.event_id ?? eventIdOfHash(rules, sha256(signedText))
  return { event: { eventId, roomId: roomIdOf(rules, pdu, eventId), pdu }, json }
}

function withoutLocalKeys(rules: RoomVersionRules, draft: Draft): Draft {
  const { unsigned: _unsigned, event_id: eventId, ...rest } = draft
  return rules.eventIdFormat === 'domain' && eventId !== undefined ? { ...rest, event_id: eventId } : rest
}

/** A key of the event, and how it is written with its value. */
type Member = { readonly key: string; text: string }

/** The members of the finished event in their order; what the seal brings has no text yet. */
function membersOf(unsealed: Draft): Member[] {
  const values: JsonObject = unsealed
  const keys = Object.keys(unsealed).filter((key) => isContentHashed(key) && values[key] !== undefined)
  keys.push('hashes', 'signatures')
  return keys.sort(byCodePoint).map((key) => ({ key, text: memberText(key, values[key]) }))
}

const memberText = (key: string, value: Json | undefined): string =>
  value === undefined ? '' : `${canonicalJson(key)}:${canonicalJson(value)}`

function write(members: readonly Member[], key: string, value: Json): void {
  for (const member of members) if (member.key === key) member.text = memberText(key, value)
}

/** What redaction leaves, but for the signatures. */
function membersLeft(rules: RoomVersionRules, unsealed: Draft, members: readonly Member[]): Member[] {
  const content = redactContent(rules, unsealed.type, unsealed.content)
  const left = members.filter(
    ({ key }) => key !== 'signatures' && rules.redaction.topLevel.includes(key),
  )
  if (content === unsealed.content) return left
  const written = { key: 'content', text: memberText('content', content) }
  return left.map((member) => (member.key === 'content' ? written : member))
}

function joined(members: readonly Member[]): string {
  let text = '{'
  for (const member of members) text += text === '{' ? member.text : `,${member.text}`
  return `${text}}`
}

function refuseIf(verdict: Readonly<{ ok: true }> | Denial): void {
  if (!verdict.ok) throw refusalOf(verdict)
}

const refusalOf = ({ rule, why }: Denial): MatrixError =>
  rule.startsWith('size.') || rule.startsWith('bytes.') ? tooLarge(why) : badJson(why)
