import { Type } from '@sinclair/typebox'
import { RoomId } from '#schema/identifiers.ts'
import { QueryInteger } from './query.ts'
import { EventContent } from './room-send.ts'

/** MSC4140, in the form that was accepted; `delay_ms` is its later name for `delay`. */
export const scheduleDelayedEvent = {
  params: Type.Object({ roomId: RoomId, eventType: Type.String(), txnId: Type.String({ minLength: 1, maxLength: 255 }) }),
  query: Type.Object({ 'org.matrix.msc4354.sticky_duration_ms': Type.Optional(QueryInteger) }),
  body: Type.Object({
    delay: Type.Optional(Type.Integer({ minimum: 0 })),
    delay_ms: Type.Optional(Type.Integer({ minimum: 0 })),
    state_key: Type.Optional(Type.String()),
    content: EventContent,
  }),
} as const

export const listDelayedEvents = {} as const

const ofDelay = { delayId: Type.String() }
const Action = Type.Union([Type.Literal('restart'), Type.Literal('send'), Type.Literal('cancel')])

export const findDelayedEvent = { params: Type.Object(ofDelay) } as const
export const manageDelayedEvent = { params: Type.Object({ ...ofDelay, action: Action }) } as const
export const updateDelayedEvent = { params: Type.Object(ofDelay), body: Type.Object({ action: Type.String() }) } as const
