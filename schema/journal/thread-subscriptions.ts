import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'

/** Which threads a user follows, MSC4306. Rows of the journal: add kinds, never change one. */

export type ThreadSubscribed = Readonly<{
  kind: 'threadSubscribed'
  userId: UserId
  roomId: RoomId
  rootId: EventId
  /** The client decided it, and not the user. */
  isAutomatic: boolean
}>

export type ThreadUnsubscribed = Readonly<{
  kind: 'threadUnsubscribed'
  userId: UserId
  roomId: RoomId
  rootId: EventId
}>

export type ThreadSubscriptionFact = ThreadSubscribed | ThreadUnsubscribed
