import { isServerName, type ServerName } from '#schema/identifiers.ts'
import { isJsonObject, ownValue } from './event-content.ts'
import type { Pdu, RoomEvent } from '#schema/pdu.ts'
import type { RoomVersionRules } from './room-version.ts'
import { eventSigningText, verifyText } from './signing.ts'
import { allow, deny, type Verdict } from './verdict.ts'

/** The server that a room asks whether an event is welcome, and the key with which it says so. */
export type PolicyServer = Readonly<{ serverName: ServerName; publicKey: string }>

/** The one id under which a policy server signs. spec: server-server-api#validating-policy-server-signatures */
export const POLICY_KEY_ID = 'ed25519:policy_server'

/**
 * The policy server of a room: the one that the current `m.room.policy` with the empty state key names. Undefined when
 * that event is missing or not valid. The room uses it only if it has a user in the room, which the caller looks up.
 * spec: server-server-api#determining-if-a-policy-server-is-enabled-in-a-room
 */
export function policyServerOf(policy: RoomEvent | undefined): PolicyServer | undefined {
  const keys = ownValue(policy?.pdu.content, 'public_keys')
  const serverName = ownValue(policy?.pdu.content, 'via')
  const publicKey = isJsonObject(keys) ? ownValue(keys, 'ed25519') : undefined
  if (typeof serverName !== 'string' || !isServerName(serverName) || typeof publicKey !== 'string') return undefined
  return { serverName, publicKey }
}

/**
 * Whether the room's policy server recommends an event. One that it does not is asked for once more, then not sent if
 * it is ours, and soft-failed if it is not; it may pass the auth rules all the same. `m.room.policy` with the empty
 * state key needs no recommendation (G-12).
 * spec: server-server-api#validating-policy-server-signatures
 */
export function checkPolicySignature(rules: RoomVersionRules, pdu: Pdu, server: PolicyServer): Verdict {
  if (pdu.type === 'm.room.policy' && pdu.state_key === '') return allow
  const signatures = pdu.signatures?.[server.serverName]
  const signature = isJsonObject(signatures) ? ownValue(signatures, POLICY_KEY_ID) : undefined
  if (typeof signature !== 'string') return deny('policy.missing', `${server.serverName} has not signed this event`)
  return verifyText(server.publicKey, eventSigningText(rules, pdu), signature)
    ? allow
    : deny('policy.signature', `The signature of ${server.serverName} does not fit this event`)
}
