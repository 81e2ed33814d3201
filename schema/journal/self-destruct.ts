import type { EventId, RoomId } from '#schema/identifiers.ts'

/** Messages that end at a time that their sender has set (MSC2228). Add kinds, never change one. */

export type SelfDestructSet = Readonly<{ kind: 'selfDestructSet'; roomId: RoomId; eventId: EventId; expiresTs: number }>

/** Its content is gone, as after a redaction. */
export type MessageSelfDestructed = Readonly<{ kind: 'messageSelfDestructed'; roomId: RoomId; eventId: EventId }>

export type SelfDestructFact = SelfDestructSet | MessageSelfDestructed
