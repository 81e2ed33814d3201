import type { JsonObject } from '#schema/pdu.ts'
import { relationOf } from '#core/relations.ts'
import { refuseMessageType } from '#core/state-content.ts'
import type { Homeserver } from '#homeserver'
import { DELAY_PARAMETER, readDelay, scheduleEvent } from '#http/delayed-events.ts'
import { type Requester, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { showGuestsOutAfter } from '#http/guests.ts'
import { takeMessage, takeRedaction } from '#http/message-limit.ts'
import { page } from '#http/page.ts'
import { noticeActivity } from '#http/presence.ts'
import { readStickyDuration } from '#http/sticky-events.ts'
import { refuseSilenced, refuseSilencedRedaction } from '#http/speaking.ts'
import { sentBefore, type Transaction, transactionOf } from '#http/transactions.ts'
import { postMessage, sendMessage } from '#schema/client/room-send.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { SentPath } from '#store/events.ts'
import { hasAnnotation } from '#store/relations.ts'

export const roomSend = (server: Homeserver) =>
  page()
    .put('/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId', signedIn(server, sendMessage, (call) => send(server, call)))
    .post(
      '/_matrix/client/v3/rooms/:roomId/send/:eventType',
      signedIn(server, postMessage, (call) => send(server, { ...call, params: { ...call.params, txnId: server.nonce() } })),
    )

async function send(
  server: Homeserver,
  { params, query, body, requester, cause }: SignedInCall<typeof sendMessage>,
): Promise<Record<string, unknown>> {
  const { roomId, eventType } = params
  const stickyMs = readStickyDuration(query)
  if (eventType !== 'm.room.redaction') refuseSilenced(server, requester)
  const refusal = refuseMessageType(eventType)
  if (refusal) throw refusal
  const transaction = transactionOf(requester, params.txnId)
  const content = body as JsonObject
  const sent = sentBefore(server, transaction, pathOf(roomId, eventType, content))
  if (sent) return { event_id: sent }
  noticeActivity(server, requester, cause)
  const delay = query[DELAY_PARAMETER]
  if (delay !== undefined) {
    takeMessage(server, requester)
    const event = { eventType, stateKey: null, content, delayMs: readDelay(delay), stickyMs, txnId: params.txnId }
    return scheduleEvent(server, { requester, roomId, ...event, cause })
  }
  if (eventType === 'm.room.redaction') return redact(server, { ...params, content, requester, transaction, cause })
  takeMessage(server, requester)
  const { eventId } = await server.room(roomId).ask(
    {
      kind: 'sendMessage',
      userId: requester.userId,
      eventType,
      content,
      ...(isAnnotated(server, requester.userId, eventType, content) ? { isAnnotated: true } : {}),
      ...(transaction ? { transaction } : {}),
      ...(stickyMs === undefined ? {} : { stickyMs }),
    },
    cause,
  )
  return { event_id: eventId }
}

/** A redaction that is sent like any event is known by its target too. */
function pathOf(roomId: RoomId, type: string, { redacts }: JsonObject): SentPath {
  return type === 'm.room.redaction' && typeof redacts === 'string' ? { roomId, type, redacts } : { roomId, type }
}

/** spec: client-server-api#avoiding-duplicate-annotations */
function isAnnotated({ store }: Homeserver, userId: UserId, type: string, content: JsonObject): boolean {
  const relation = relationOf(content)
  if (relation?.relType !== 'm.annotation' || relation.key === undefined) return false
  return hasAnnotation(store, { eventId: relation.eventId, userId, type, key: relation.key })
}

/** Since v1.18 a redaction may be sent like any event. spec: client-server-api#redactions */
async function redact(
  server: Homeserver,
  { roomId, content, requester, transaction, cause }: {
    roomId: `!${string}`
    content: JsonObject
    requester: Requester
    transaction: Transaction | undefined
    cause: string
  },
): Promise<{ event_id: EventId }> {
  const { redacts } = content
  if (typeof redacts !== 'string' || !redacts.startsWith('$')) throw invalidParam('A redaction names its target in redacts')
  refuseSilencedRedaction(server, requester, redacts as EventId)
  takeRedaction(server, requester, redacts as EventId)
  const { eventId } = await server.room(roomId).ask(
    { kind: 'redactEvent', userId: requester.userId, targetId: redacts as EventId, content, ...(transaction ? { transaction } : {}) },
    cause,
  )
  await showGuestsOutAfter(server, roomId, redacts as EventId, cause)
  return { event_id: eventId }
}
