import { ownValue } from '#core/event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { refuseMemberContent, refuseStateContent } from '#core/state-content.ts'
import type { Homeserver } from '#homeserver'
import { refuseAliases } from '#http/aliases.ts'
import { DELAY_PARAMETER, readDelay, scheduleEvent } from '#http/delayed-events.ts'
import { rawJson, type Requester, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { GUEST_ACCESS, showGuestsOut } from '#http/guests.ts'
import { acceptUnasked, invitedContentOf, refuseInvite } from '#http/invites.ts'
import { join, ownMemberContent } from '#http/joins.ts'
import { takeMessage } from '#http/message-limit.ts'
import { page } from '#http/page.ts'
import { roomReader } from '#http/room-reader.ts'
import { readStickyDuration } from '#http/sticky-events.ts'
import { refuseSilenced } from '#http/speaking.ts'
import { getRoomState, getRoomStateWithKey, setRoomStateWithKey } from '#schema/client/room-state.ts'
import { type EventId, isUserId, type RoomId, type UserId } from '#schema/identifiers.ts'
import { badJson, forbidden, invalidParam, notFound } from '#schema/matrix-error.ts'
import { findMemberProfile } from '#store/profiles.ts'
import { findStateEvent } from '#store/room-state.ts'
import { findStateAt, listCurrentState, listStateAt } from '#store/state-at.ts'
import { findStateContent } from '#store/state-content.ts'

export const roomStatePage = (server: Homeserver) => {
  const getOne = signedIn(server, getRoomStateWithKey, (call) => rawJson(readOne(server, call)))
  const setOne = signedIn(server, setRoomStateWithKey, (call) => putState(server, call))
  return page()
    .get(
      '/_matrix/client/v3/rooms/:roomId/state',
      signedIn(server, getRoomState, ({ params: { roomId }, requester }) => {
        const { print, until } = roomReader(server, roomId, requester)
        const events = until === Infinity ? listCurrentState(server.store, roomId) : listStateAt(server.store, roomId, until)
        return rawJson(`[${events.map((event) => print(event)).join(',')}]`)
      }),
    )
    .get('/_matrix/client/v3/rooms/:roomId/state/:eventType', getOne)
    .get('/_matrix/client/v3/rooms/:roomId/state/:eventType/', getOne)
    .get('/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey', getOne)
    .put('/_matrix/client/v3/rooms/:roomId/state/:eventType', setOne)
    .put('/_matrix/client/v3/rooms/:roomId/state/:eventType/', setOne)
    .put('/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey', setOne)
}

function readOne(server: Homeserver, { params, query, requester }: SignedInCall<typeof getRoomStateWithKey>): string {
  const { roomId, eventType, stateKey = '' } = params
  const { store } = server
  const { print, until } = roomReader(server, roomId, requester)
  if (query.format !== 'event') {
    const content = findStateContent(store, roomId, [eventType, stateKey], until)
    if (content === undefined) throw noSuchState()
    return content
  }
  const event = findStateAt(store, roomId, eventType, stateKey, until === Infinity ? Number.MAX_SAFE_INTEGER : until)
  if (!event) throw noSuchState()
  return print(event)
}

const noSuchState = () => notFound('The room has no state of that type and key')

async function putState(server: Homeserver, call: SignedInCall<typeof setRoomStateWithKey>): Promise<object> {
  const { params: { roomId, eventType, stateKey = '' }, query, requester, cause } = call
  const stickyMs = readStickyDuration(query)
  const delay = query[DELAY_PARAMETER]
  const content = call.body as JsonObject
  refuseSilenced(server, requester)
  takeMessage(server, requester)
  if (eventType === 'm.room.create') throw forbidden('A room is created once, by createRoom')
  if (eventType === 'm.room.member' && delay === undefined)
    return { event_id: await putMember(server, { roomId, stateKey, content, requester, cause }) }
  const refusal = refuseStateContent({ type: eventType, stateKey, content, roomId, serverName: server.serverName })
  if (refusal) throw refusal
  if (eventType === 'm.room.canonical_alias' && stateKey === '')
    refuseAliases(server, roomId, content, findStateEvent(server.store, roomId, eventType, '')?.pdu.content)
  if (delay !== undefined) {
    const event = { eventType, stateKey, content, delayMs: readDelay(delay), stickyMs, txnId: null }
    return scheduleEvent(server, { requester, roomId, ...event, cause })
  }
  const sticky = stickyMs === undefined ? {} : { stickyMs }
  const { eventId } = await server.room(roomId).ask(
    { kind: 'setRoomStateWithKey', userId: requester.userId, eventType, stateKey, content, ...sticky },
    cause,
  )
  if (eventType === GUEST_ACCESS && stateKey === '') await showGuestsOut(server, roomId, cause)
  return { event_id: eventId }
}

type MemberWish = Readonly<{ roomId: RoomId; stateKey: string; content: JsonObject; requester: Requester; cause: string }>

/** The event does what the call of its membership would do, with what the client says besides. */
async function putMember(server: Homeserver, { roomId, stateKey, content, requester, cause }: MemberWish): Promise<EventId> {
  if (!isUserId(stateKey)) throw invalidParam('The state key of m.room.member is a user id')
  const membership = ownValue(content, 'membership')
  if (typeof membership !== 'string') throw badJson('membership is missing')
  const refusal = refuseMemberContent(content)
  if (refusal) throw refusal
  const isOwn = stateKey === requester.userId
  const reason = ownValue(content, 'reason')
  const because = typeof reason === 'string' ? { reason } : {}
  if (membership === 'join' && isOwn) return join(server, { requester, roomId, content, ...because, cause })
  if (membership === 'invite') refuseInvite(server, requester, stateKey, roomId)
  const { eventId } = await server.room(roomId).ask({
    kind: 'setMember',
    userId: requester.userId,
    targetId: stateKey,
    content: { ...profileIn(server, membership, stateKey), ...ownMemberContent(server, content), membership, ...because },
  }, cause)
  if (membership === 'invite')
    acceptUnasked(server, { roomId, inviterId: requester.userId, targetId: stateKey, isDirect: content.is_direct === true, cause })
  return eventId
}

/** Invites and knocks say whom they are about; kicks and bans do not. */
function profileIn(server: Homeserver, membership: string, targetId: UserId): JsonObject {
  if (membership === 'invite') return invitedContentOf(server, targetId)
  return membership === 'knock' ? findMemberProfile(server.store, targetId) : {}
}
