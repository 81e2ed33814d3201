import { isJsonObject, ownValue } from '#core/event-content.ts'
import type { Json, Pdu, RoomEvent } from '#schema/pdu.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import type { StateLookup } from '#core/state-key.ts'

export type AuthStateKey = readonly [type: string, stateKey: string]

/** The memberships that the join rules have a say in. */
const RULED_BY_JOIN_RULES: ReadonlySet<Json | undefined> = new Set(['join', 'invite', 'knock'])

/**
 * The places in the room state whose events an event may and should cite as `auth_events`, each once, whether
 * or not the state has an event there. Only the type, sender, state key and content of `pdu` are read.
 * spec: server-server-api#auth-events-selection
 */
export const authStateKeys = (
  rules: RoomVersionRules,
  pdu: Pick<Pdu, 'type' | 'sender' | 'state_key' | 'content'>,
): readonly AuthStateKey[] => {
  if (pdu.type === 'm.room.create') return []
  const keys: AuthStateKey[] = [
    ['m.room.power_levels', ''],
    ['m.room.member', pdu.sender],
  ]
  // From version 12 on the room id itself names the create event.
  if (rules.roomIdFormat === 'domain') keys.unshift(['m.room.create', ''])
  if (pdu.type === 'm.room.member') keys.push(...memberKeys(rules, pdu))
  return keys
}

function memberKeys(
  rules: RoomVersionRules,
  { sender, state_key, content }: Pick<Pdu, 'sender' | 'state_key' | 'content'>,
): readonly AuthStateKey[] {
  const keys: AuthStateKey[] = []
  const membership = ownValue(content, 'membership')
  const target = state_key === sender ? undefined : state_key
  if (target !== undefined) keys.push(['m.room.member', target])

  if (RULED_BY_JOIN_RULES.has(membership)) keys.push(['m.room.join_rules', ''])

  const token = membership === 'invite' ? invitationToken(content) : undefined
  if (token !== undefined) keys.push(['m.room.third_party_invite', token])

  const authoriser = ownValue(content, 'join_authorised_via_users_server')
  const isRestrictedJoin = rules.restrictedJoin && membership === 'join' && typeof authoriser === 'string'
  if (isRestrictedJoin && authoriser !== sender && authoriser !== target) keys.push(
    ['m.room.member', authoriser],
  )
  return keys
}

/** `content.third_party_invite.signed.token` */
function invitationToken(content: Pdu['content']): string | undefined {
  const invitation = ownValue(content, 'third_party_invite')
  const signed = isJsonObject(invitation) ? ownValue(invitation, 'signed') : undefined
  const token = isJsonObject(signed) ? ownValue(signed, 'token') : undefined
  return typeof token === 'string' ? token : undefined
}

/**
 * The events that a new event cites as `auth_events`, given the state before it.
 * spec: server-server-api#auth-events-selection
 */
export const selectAuthEvents = (
  rules: RoomVersionRules,
  pdu: Pick<Pdu, 'type' | 'sender' | 'state_key' | 'content'>,
  state: StateLookup,
): RoomEvent[] =>
  authStateKeys(rules, pdu)
    .map(([type, stateKey]) => state(type, stateKey))
    .filter((event) => event !== undefined)
