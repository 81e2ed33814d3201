import { Elysia } from 'elysia'
import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { sentBefore, transactionOf } from '#http/transactions.ts'
import { redactEvent } from '#schema/client/redaction.ts'

export const redaction = (server: Homeserver) =>
  new Elysia({ name: 'client/redaction', normalize: false }).put(
    '/_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId',
    signedIn(server, redactEvent, async ({ params, body, requester, cause }) => {
      const transaction = transactionOf(requester, params.txnId)
      const sent = sentBefore(server, transaction)
      if (sent) return { event_id: sent }
      const content = body.reason === undefined ? {} : { reason: body.reason }
      const { eventId } = await server.room(params.roomId).ask(
        { kind: 'redactEvent', userId: requester.userId, targetId: params.eventId, content, ...(transaction ? { transaction } : {}) },
        cause,
      )
      return { event_id: eventId }
    }),
  )
