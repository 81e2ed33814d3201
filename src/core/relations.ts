import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import { MatrixError, unknown } from '#schema/matrix-error.ts'
import { isJsonObject } from './event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { allow, deny, type Verdict } from './verdict.ts'

/** What there is to know of an event in order to judge its relations. */
export type RelatableEvent = Readonly<{
  eventId: EventId
  roomId: RoomId
  type: string
  sender: UserId
  stateKey?: string
  content: JsonObject
  isRedacted?: boolean
}>

/**
 * How one event relates to another: `m.thread`, `m.replace`, `m.annotation`, `m.reference` or anything else.
 */
export type Relation = Readonly<{
  relType: string
  eventId: EventId
  /** What an `m.annotation` says, such as an emoji. */
  key?: string
}>

/**
 * The relation in an event's content. A relation that does not fit the schema is ignored, and so is a rich
 * reply, which has no `rel_type`. spec: client-server-api#forming-relationships-between-events
 */
export function relationOf(content: JsonObject): Relation | undefined {
  const relatesTo = objectAt(content, 'm.relates_to')
  const { rel_type: relType, event_id: eventId, key } = relatesTo ?? {}
  if (typeof relType !== 'string' || !isEventIdLike(eventId)) return undefined
  return typeof key === 'string' && relType === 'm.annotation'
    ? { relType, eventId, key }
    : { relType, eventId }
}

/** The event that a rich reply answers. spec: client-server-api#rich-replies */
export function replyTargetOf(content: JsonObject): EventId | undefined {
  const eventId = objectAt(objectAt(content, 'm.relates_to'), 'm.in_reply_to')?.event_id
  return isEventIdLike(eventId) ? eventId : undefined
}

const isEventIdLike = (value: Json | undefined): value is EventId =>
  typeof value === 'string' && value.startsWith('$')

function objectAt(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = object?.[key]
  return isJsonObject(value) ? value : undefined
}

/**
 * Does `edit` count as an edit of `original`? If not it is an event of its own and never bundled (G-79).
 * spec: client-server-api#validity-of-replacement-events
 */
export function checkEdit(edit: RelatableEvent, original: RelatableEvent): Verdict {
  const relation = relationOf(edit.content)
  if (relation?.relType !== 'm.replace' || relation.eventId !== original.eventId) {
    return deny('edit.relation', 'This does not replace that event')
  }
  if (edit.isRedacted || original.isRedacted) return deny('edit.redacted', 'One of the two is redacted')
  // The original event and replacement event must have the same room_id.
  if (edit.roomId !== original.roomId) return deny('edit.room', 'An edit must be in the same room')
  // The original event and replacement event must have the same sender.
  if (edit.sender !== original.sender) return deny('edit.sender', 'Only the sender may edit an event')
  // The replacement and original events must have the same type.
  if (edit.type !== original.type) return deny('edit.type', 'An edit cannot change the type')
  // The replacement and original events must not have a state_key property.
  if (edit.stateKey !== undefined || original.stateKey !== undefined)
    return deny('edit.state', 'State cannot be edited')
  // The original event must not, itself, have a rel_type of m.replace.
  if (relationOf(original.content)?.relType === 'm.replace')
    return deny('edit.edit', 'An edit cannot be edited')
  // The replacement event (once decrypted, if appropriate) must have an m.new_content property.
  if (edit.type !== 'm.room.encrypted' && !objectAt(edit.content, 'm.new_content')) {
    return deny('edit.content', 'An edit needs m.new_content')
  }
  return allow
}

type Dated = Readonly<{ eventId: EventId; originServerTs: number }>

/** Of two valid edits, the newer: by timestamp, then by the larger event id. */
export const newerEdit = <Edit extends Dated>(one: Edit, other: Edit): Edit =>
  isNewer(other, one) ? other : one

const isNewer = (one: Dated, other: Dated): boolean =>
  one.originServerTs === other.originServerTs
    ? one.eventId > other.eventId
    : one.originServerTs > other.originServerTs

/** A relation that our own user is about to send, with what the store knows of its target. */
export type NewRelation = Readonly<{
  roomId: RoomId
  content: JsonObject
  /** The target, if we have it. */
  target?: Pick<RelatableEvent, 'roomId' | 'content'> | undefined
  /** The sender has an unredacted event of the same type with the same `m.annotation` on the same target. */
  hasSameAnnotation: boolean
}>

/**
 * The error for a client that tries to send a relation that must not be, or undefined if it may be sent.
 * - A thread on an event that itself has a `rel_type`: 400 `M_UNKNOWN`.
 * - The same annotation twice: 400 `M_DUPLICATE_ANNOTATION`.
 * - A target in another room: 400 `M_UNKNOWN`.
 * spec: client-server-api#validation-of-mthread-relationships and
 * client-server-api#avoiding-duplicate-annotations
 */
export function refuseRelation({
  roomId,
  content,
  target,
  hasSameAnnotation,
}: NewRelation): MatrixError | undefined {
  const relation = relationOf(content)
  if (!relation) return undefined
  if (target && target.roomId !== roomId) return unknown('Events can only relate to events of the same room')
  if (relation.relType === 'm.thread' && target && !mayBeThreadRoot(target.content)) {
    return unknown('A thread cannot start from an event that relates to another event')
  }
  if (relation.relType === 'm.annotation' && hasSameAnnotation) {
    return new MatrixError(400, 'M_DUPLICATE_ANNOTATION', 'You have annotated this event like that already')
  }
  return undefined
}

/**
 * Any event without a `rel_type` can be a thread root, a rich reply too.
 * spec: client-server-api#threading
 */
export const mayBeThreadRoot = (content: JsonObject): boolean => {
  const relatesTo = objectAt(content, 'm.relates_to')
  return relatesTo?.rel_type === undefined
}
