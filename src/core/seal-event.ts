import type { ServerName } from '#schema/identifiers.ts'
import { badJson, tooLarge, type MatrixError } from '#schema/matrix-error.ts'
import { byCodePoint, canonicalJson } from './canonical-json.ts'
import { isContentHashed } from './content-hash.ts'
import { sha256Base64 } from './digest.ts'
import { checkEventFormat, checkEventSize } from './event-format.ts'
import { roomIdOf } from './event-id.ts'
import type { Json, JsonObject, Pdu, RoomEvent } from '#schema/pdu.ts'
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
  const whole = partsOf(members)
  const hashes = { sha256: sha256Base64(textOf(whole)) }
  const hashesText = `,"hashes":{"sha256":"${hashes.sha256}"}`

  const left = partsOf(membersLeft(rules, unsealed, members))
  const signedText = textOf({ ...left, between: hashesText + left.between })
  const signatures = { [serverName]: { [key.keyId]: signText(signedText, key) } }
  const signaturesText = `,"signatures":${canonicalJson(signatures)}`

  const pdu: Pdu = { ...unsealed, hashes, signatures }
  const json = textOf({ ...whole, between: hashesText + whole.between + signaturesText })
  refuseIf(checkEventFormat(rules, pdu))
  refuseIf(checkEventSize(json))
  const eventId = unsealed.event_id ?? `$${sha256Base64(signedText, rules.eventIdFormat === 'url-safe-base64')}` as const
  return { event: { eventId, roomId: roomIdOf(rules, pdu, eventId), pdu }, json }
}

function withoutLocalKeys(rules: RoomVersionRules, draft: Draft): Draft {
  const { unsigned: _unsigned, event_id: eventId, ...rest } = draft
  return rules.eventIdFormat === 'domain' && eventId !== undefined ? { ...rest, event_id: eventId } : rest
}

/** A key of the event, and how it is written with its value, a comma in front. */
type Member = Readonly<{ key: string; text: string }>

/** The members of the event in their order, but for those that the seal brings. */
function membersOf(unsealed: Draft): Member[] {
  const values: JsonObject = unsealed
  const members: Member[] = []
  for (const key of Object.keys(unsealed).sort(byCodePoint)) {
    const value = isContentHashed(key) ? values[key] : undefined
    if (value !== undefined) members.push({ key, text: memberText(key, value) })
  }
  return members
}

const memberText = (key: string, value: Json): string => `,${canonicalJson(key)}:${canonicalJson(value)}`

/** What redaction leaves. */
function membersLeft(rules: RoomVersionRules, unsealed: Draft, members: readonly Member[]): Member[] {
  const content = redactContent(rules, unsealed.type, unsealed.content)
  const left = members.filter(({ key }) => rules.redaction.topLevel.includes(key))
  if (content === unsealed.content) return left
  const text = memberText('content', content)
  return left.map((member) => (member.key === 'content' ? { key: 'content', text } : member))
}

/** The text of an event in three parts: `hashes` belongs between the first two, `signatures` between the last. */
type Parts = Readonly<{ before: string; between: string; behind: string }>

function partsOf(members: readonly Member[]): Parts {
  let [before, between, behind] = ['', '', '']
  for (const { key, text } of members) {
    if (key < 'hashes') before += text
    else if (key < 'signatures') between += text
    else behind += text
  }
  return { before, between, behind }
}

const textOf = ({ before, between, behind }: Parts): string => `{${(before + between + behind).slice(1)}}`

function refuseIf(verdict: Readonly<{ ok: true }> | Denial): void {
  if (!verdict.ok) throw refusalOf(verdict)
}

const refusalOf = ({ rule, why }: Denial): MatrixError =>
  rule.startsWith('size.') || rule.startsWith('bytes.') ? tooLarge(why) : badJson(why)
