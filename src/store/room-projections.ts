import type { EventAppended, EventRedacted, RoomFact } from '#schema/journal/room.ts'
import { delayedEventProjections } from './delayed-events.ts'
import { eventAppendedRow, projectEventRedacted } from './events.ts'
import { projectEventsExpired } from './expired-events.ts'
import { projectMembership, projectRoomForgotten } from './memberships.ts'
import type { Project, ProjectionsOf } from './projectors.ts'
import { projectRoomPublished } from './public-rooms.ts'
import { projectReceiptPosted } from './receipts.ts'
import { projectOriginalsForgotten } from './redacted-originals.ts'
import { projectRelation, projectRelationRedacted } from './relations.ts'
import { projectStateChange } from './room-state.ts'
import { projectSelfDestructed, projectSelfDestructSet } from './self-destruct.ts'
import { projectSticky } from './sticky-events.ts'
import { projectDirectory } from './user-directory.ts'

const projectEvent: Project<EventAppended> = (store, fact, position, actorId) => {
  eventAppendedRow.project(store, fact, position, actorId)
  projectRelation(store, fact, position, actorId)
  if (fact.pdu.msc4354_sticky !== undefined) projectSticky(store, fact, position, actorId)
  if (fact.pdu.state_key === undefined) return
  projectStateChange(store, fact, position, actorId)
  if (fact.pdu.type === 'm.room.member') projectMembership(store, fact, position, actorId)
  projectDirectory(store, fact, position, actorId)
}

const projectRedaction: Project<EventRedacted> = (store, fact, position, actorId) => {
  projectEventRedacted(store, fact, position, actorId)
  projectRelationRedacted(store, fact, position, actorId)
}

/** The facts of rooms and the tables they become. */
export const roomProjections: ProjectionsOf<RoomFact> = {
  eventAppended: { ...eventAppendedRow, project: projectEvent },
  eventRedacted: { project: projectRedaction },
  eventsExpired: { project: projectEventsExpired },
  originalsForgotten: { project: projectOriginalsForgotten },
  selfDestructSet: { project: projectSelfDestructSet },
  messageSelfDestructed: { project: projectSelfDestructed },
  receiptPosted: { project: projectReceiptPosted },
  roomPublished: { project: projectRoomPublished },
  roomForgotten: { project: projectRoomForgotten },
  ...delayedEventProjections,
}
