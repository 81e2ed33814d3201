import { Elysia } from 'elysia'
import type { JsonObject } from '#core/pdu.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { sentBefore, type Transaction, transactionOf } from '#http/transactions.ts'
import { sendMessage } from '#schema/client/room-send.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import type { EventId } from '#schema/identifiers.ts'

export const roomSend = (server: Homeserver) =>
  new Elysia({ name: 'client/room-send', normalize: false }).put(
    '/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId',
    signedIn(server, sendMessage, async ({ params, body, requester, cause }) => {
      const { roomId, eventType } = params
      const transaction = transactionOf(requester, params.txnId)
      const sent = sentBefore(server, transaction)
      if (sent) return { event_id: sent }
      const content = body as JsonObject
      if (eventType === 'm.room.redaction') return redact(server, { ...params, content, requester, transaction, cause })
      const { eventId } = await server.room(roomId).ask(
        { kind: 'sendMessage', userId: requester.userId, eventType, content, ...(transaction ? { transaction } : {}) },
        cause,
      )
      return { event_id: eventId }
    }),
  )

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
  const { eventId } = await server.room(roomId).ask(
    { kind: 'redactEvent', userId: requester.userId, targetId: redacts as EventId, content, ...(transaction ? { transaction } : {}) },
    cause,
  )
  return { event_id: eventId }
}
