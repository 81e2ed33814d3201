import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { signedIn, type SignedInCall } from '#http/endpoint.ts'
import { takeRedaction } from '#http/message-limit.ts'
import { page } from '#http/page.ts'
import { reasonOf } from '#http/reasons.ts'
import { refuseSilencedRedaction } from '#http/speaking.ts'
import { sentBefore, transactionOf } from '#http/transactions.ts'
import { postRedaction, redactEvent } from '#schema/client/redaction.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { listChildIds } from '#store/relations.ts'

export const redaction = (server: Homeserver) =>
  page()
    .put('/_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId', signedIn(server, redactEvent, (call) => redact(server, call)))
    .post(
      '/_matrix/client/v3/rooms/:roomId/redact/:eventId',
      signedIn(server, postRedaction, (call) => redact(server, { ...call, params: { ...call.params, txnId: server.nonce() } })),
    )

async function redact(server: Homeserver, { params, body, requester, cause }: SignedInCall<typeof redactEvent>): Promise<{ event_id: EventId }> {
  const transaction = transactionOf(requester, params.txnId)
  const sent = sentBefore(server, transaction, { roomId: params.roomId, type: 'm.room.redaction', redacts: params.eventId })
  if (sent) return { event_id: sent }
  refuseSilencedRedaction(server, requester, params.eventId)
  takeRedaction(server, requester, params.eventId)
  const content = reasonOf(body)
  const { eventId } = await server.room(params.roomId).ask(
    { kind: 'redactEvent', userId: requester.userId, targetId: params.eventId, content, ...(transaction ? { transaction } : {}) },
    cause,
  )
  const relTypes = body.with_rel_types ?? body.with_relations ?? body['org.matrix.msc3912.with_relations']
  if (relTypes?.length) await redactRelated(server, { ...params, userId: requester.userId, relTypes, content, cause })
  return { event_id: eventId }
}

/** Children that are redacted at once. */
const BATCH = 100

type Related = Readonly<{
  roomId: RoomId
  eventId: EventId
  userId: UserId
  relTypes: readonly string[]
  content: JsonObject
  cause: string
}>

/** What relates to a redacted event goes with it, as far as the user may redact it (MSC3912). */
async function redactRelated(server: Homeserver, { roomId, eventId, userId, relTypes, content, cause }: Related): Promise<void> {
  const wanted = relTypes.includes('*') ? 'any' : relTypes
  for (let after = 0; ;) {
    const children = listChildIds(server.store, { roomId, eventId, relTypes: wanted, after, limit: BATCH })
    await Promise.all(children.map(async (child) => {
      try {
        await server.room(roomId).ask({ kind: 'redactEvent', userId, targetId: child.eventId, content }, cause)
      } catch (refusal) {
        if (!(refusal instanceof MatrixError)) throw refusal
      }
    }))
    if (children.length < BATCH) return
    after = children.at(-1)?.num ?? after
  }
}
