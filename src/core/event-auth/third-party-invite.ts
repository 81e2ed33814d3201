import { isJsonObject, ownValue } from '#core/event-content.ts'
import type { Json, JsonObject, RoomEvent } from '#schema/pdu.ts'
import { checkPublicKey, signedText, verifyText } from '#core/signing.ts'
import { type Verdict, allow, deny } from '#core/verdict.ts'
import { type AuthContext, currentMembership } from './context.ts'

/**
 * How many pairs of a signature and a key are tried. A genuine invitation needs one or two; without an end,
 * two events of 64 KiB could ask for a third of a million.
 */
export const SIGNATURE_TRIES_LIMIT = 64
/** How many keys whose signature fits are asked whether they may be used at all, which costs ten times as much. */
export const KEY_CHECKS_LIMIT = 8

/**
 * The rule for `m.room.third_party_invite`: number 7 in versions 1 to 5 and 12, number 6 in between. Allowed
 * if and only if the sender has the invite level. spec: rooms/v12#authorisation-rules
 */
export const checkThirdPartyInvite = ({ pdu, levels }: AuthContext): Verdict =>
  levels.user(pdu.sender) >= levels.invite
    ? allow
    : deny('auth.third_party_invite.1', `${pdu.sender} may not invite`)

/**
 * The invite of a user whom a third-party invitation was for: point 4.1 of the rule for members (3.1 before
 * version 8). The sender is whoever sent the invitation and need not be in the room any more.
 * spec: rooms/v12#authorisation-rules
 */
export function checkInvitationByThirdParty({ pdu, state }: AuthContext, target: string): Verdict {
  // 4.1.1 The target is banned: reject.
  if (currentMembership(state, target) === 'ban')
    return deny('auth.member.4.1.1', `${target} is banned from this room`)

  // 4.1.2 Nothing is signed: reject.
  const invitation = ownValue(pdu.content, 'third_party_invite')
  const signed = isJsonObject(invitation) ? ownValue(invitation, 'signed') : undefined
  if (!isJsonObject(signed)) return deny('auth.member.4.1.2', 'The third-party invite has no signed part')

  // 4.1.3 What is signed lacks a user or a token: reject.
  const [mxid, token] = [ownValue(signed, 'mxid'), ownValue(signed, 'token')]
  if (mxid === undefined || typeof token !== 'string')
    return deny('auth.member.4.1.3', 'The signed part of the third-party invite lacks mxid or token')

  // 4.1.4 The user is not the target: reject.
  if (mxid !== target) return deny('auth.member.4.1.4', 'The third-party invite is signed for another user')

  // 4.1.5 The room has no such invitation: reject.
  const invited = state('m.room.third_party_invite', token)
  if (invited === undefined) return deny('auth.member.4.1.5', 'The room knows no invitation with this token')

  // 4.1.6 Somebody else sent it: reject.
  if (pdu.sender !== invited.pdu.sender)
    return deny('auth.member.4.1.6', `${pdu.sender} did not send this invitation`)

  // 4.1.7 A signature fits one of the invitation's public keys: allow. 4.1.8 Otherwise, reject.
  return isSignedByOneOf(signed, publicKeysOf(invited))
    ? allow
    : deny('auth.member.4.1.8', 'No key of the invitation has signed it')
}

/** `content.public_key`, then those of `content.public_keys`. */
function publicKeysOf({ pdu }: RoomEvent): readonly string[] {
  const listed = ownValue(pdu.content, 'public_keys')
  const entries: readonly Json[] = Array.isArray(listed) ? listed : []
  const keys = entries.map((entry) => (isJsonObject(entry) ? ownValue(entry, 'public_key') : undefined))
  return [ownValue(pdu.content, 'public_key'), ...keys].filter((key) => typeof key === 'string')
}

function isSignedByOneOf(signed: JsonObject, publicKeys: readonly string[]): boolean {
  const text = textOf(signed)
  if (text === undefined) return false
  let tries = 0
  let checks = 0
  for (const signature of signaturesIn(signed)) {
    for (const publicKey of publicKeys) {
      if (++tries > SIGNATURE_TRIES_LIMIT) return false
      if (!verifyText(publicKey, text, signature)) continue
      // With a key of small order implementations disagree on what it signed; it costs most, so it is asked
      // last.
      if (checkPublicKey(publicKey).ok) return true
      if (++checks === KEY_CHECKS_LIMIT) return false
    }
  }
  return false
}

/** Undefined for what has no canonical form, such as half a surrogate pair: nobody can have signed that. */
function textOf(signed: JsonObject): string | undefined {
  try {
    return signedText(signed)
  } catch {
    return undefined
  }
}

/**
 * Every Ed25519 signature, whichever server it is said to be of: the invitation's keys belong to no server
 * name.
 */
function signaturesIn(signed: JsonObject): readonly string[] {
  const byServer = ownValue(signed, 'signatures')
  if (!isJsonObject(byServer)) return []
  return Object.values(byServer)
    .flatMap((byKey) => (isJsonObject(byKey) ? Object.entries(byKey) : []))
    .flatMap(([keyId, signature]) =>
      keyId.startsWith('ed25519:') && typeof signature === 'string' ? [signature] : [],
    )
}
