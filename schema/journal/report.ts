import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'

/** Someone told the admins of an event, a room or a user. Rows of the journal: add kinds, never change one. */
export type ContentReported = Readonly<{
  kind: 'contentReported'
  /** Who reports. */
  userId: UserId
  about: 'event' | 'room' | 'user'
  roomId: RoomId | null
  eventId: EventId | null
  /** Who is reported, or who sent the event. */
  targetId: UserId | null
  reason: string | null
  /** From -100 (worst) to 0, of clients from before v1.18. */
  score: number | null
  ts: number
}>
