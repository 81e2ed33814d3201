import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { scheduleEvent } from '#http/delayed-events.ts'
import { maybeSignedIn, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { takeMessage } from '#http/message-limit.ts'
import { page } from '#http/page.ts'
import { rateLimiter } from '#http/rate-limit.ts'
import { readStickyDuration } from '#http/sticky-events.ts'
import * as schema from '#schema/client/delayed-events.ts'
import { invalidParam, type MatrixError, missingParam, notFound } from '#schema/matrix-error.ts'
import { type DelayedEventRow, findDelayedEventRoom, listDelayedEvents } from '#store/delayed-events.ts'

const UNSTABLE = '/_matrix/client/unstable/org.matrix.msc4140'

/** Events that are sent later (MSC4140). The old form of scheduling them is the `delay` of room-send and room-state. */
export const delayedEventsPage = (server: Homeserver) => {
  const limit = rateLimiter(server.config.rc.delayedEventMgmt, server.clock.now)
  const schedule = signedIn(server, schema.scheduleDelayedEvent, (call) => scheduleAs(server, call))

  const list = signedIn(server, schema.listDelayedEvents, ({ requester: { userId } }) => {
    limit.take(userId)
    return { delayed_events: listDelayedEvents(server.store, userId).map(printDelayed) }
  })

  const find = signedIn(server, schema.findDelayedEvent, ({ params: { delayId }, requester: { userId } }) => {
    limit.take(userId)
    const delayed = listDelayedEvents(server.store, userId).find((each) => each.delayId === delayId)
    if (!delayed) throw noSuchEvent()
    return printDelayed(delayed)
  })

  // Whoever knows the id may call: it is as long and as random as a token.
  const manage = maybeSignedIn(server, schema.manageDelayedEvent, ({ params, requester, clientAddress, cause }) => {
    limit.take(requester?.userId ?? clientAddress)
    return act(server, params.delayId, params.action, cause)
  })
  const update = maybeSignedIn(server, schema.updateDelayedEvent, ({ params, body, requester, clientAddress, cause }) => {
    limit.take(requester?.userId ?? clientAddress)
    return act(server, params.delayId, readAction(body.action), cause)
  })

  return page()
    .put('/_matrix/client/v3/rooms/:roomId/delayed_event/:eventType/:txnId', schedule)
    .put(`${UNSTABLE}/rooms/:roomId/delayed_event/:eventType/:txnId`, schedule)
    .get('/_matrix/client/v1/delayed_events', list)
    .get(`${UNSTABLE}/delayed_events`, list)
    .get('/_matrix/client/v1/delayed_events/:delayId', find)
    .get(`${UNSTABLE}/delayed_events/:delayId`, find)
    .post('/_matrix/client/v1/delayed_events/:delayId/:action', manage)
    .post(`${UNSTABLE}/delayed_events/:delayId/:action`, manage)
    .post(`${UNSTABLE}/delayed_events/:delayId`, update)
}

function scheduleAs(
  server: Homeserver,
  { params, query, body, requester, cause }: SignedInCall<typeof schema.scheduleDelayedEvent>,
): Promise<object> {
  const { roomId, eventType, txnId } = params
  const delayMs = body.delay ?? body.delay_ms
  takeMessage(server, requester)
  if (delayMs === undefined) throw missingParam('Missing parameter: delay')
  return scheduleEvent(server, {
    requester,
    roomId,
    eventType,
    stateKey: body.state_key ?? null,
    content: body.content as JsonObject,
    delayMs,
    stickyMs: readStickyDuration(query),
    txnId,
    cause,
  })
}

type Action = SignedInCall<typeof schema.manageDelayedEvent>['params']['action']

function readAction(text: string): Action {
  if (text === 'restart' || text === 'send' || text === 'cancel') return text
  throw invalidParam('action is restart, send or cancel')
}

const KINDS = { restart: 'restartDelayedEvent', send: 'sendDelayedEvent', cancel: 'cancelDelayedEvent' } as const

async function act(server: Homeserver, delayId: string, action: Action, cause: string): Promise<object> {
  const roomId = findDelayedEventRoom(server.store, delayId)
  if (!roomId) throw noSuchEvent()
  await server.room(roomId).ask({ kind: KINDS[action], delayId }, cause)
  return {}
}

const noSuchEvent = (): MatrixError => notFound('There is no such delayed event, or it was sent or cancelled')

/** Delay and start stand in it under the names of the proposal's earlier and later text. */
const printDelayed = ({ delayId, roomId, type, stateKey, content, delayMs, runningTs }: DelayedEventRow): object => ({
  delay_id: delayId,
  room_id: roomId,
  type,
  ...(stateKey === null ? {} : { state_key: stateKey }),
  delay: delayMs,
  delay_ms: delayMs,
  running_since: runningTs,
  delayed_since_ts: runningTs,
  content: JSON.parse(content) as unknown,
})
