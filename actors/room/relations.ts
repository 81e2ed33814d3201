import type { WorldTurn } from '#actors/world.ts'
import type { JsonObject, Pdu } from '#schema/pdu.ts'
import { refuseRelation, type Relation, relationOf } from '#core/relations.ts'
import type { EventId, UserId } from '#schema/identifiers.ts'
import { type At, remember, type Room } from './memory.ts'

type NewRelation = Readonly<{ userId: UserId; eventType: string; content: JsonObject; isAnnotated: boolean }>

/**
 * Throws where a message relates to another in a way that must not be: a thread that would start within a relation, the
 * same annotation twice, a target in another room.
 *
 * What an event relates to never changes, so the target may be looked up. Whether the sender has annotated it is asked
 * of the tables by whoever sent the command, and they lag behind by the batches that are on their way to the disk:
 * what these may hold is remembered. An answer that is out of date the other way (the annotation has just been redacted)
 * refuses what could as well have come a moment earlier.
 */
export function refuseNewRelation(room: Room, turn: WorldTurn, { userId, eventType, content, isAnnotated }: NewRelation): void {
  const relation = relationOf(content)
  if (!relation) return
  const target = turn.event(relation.eventId)
  const refusal = refuseRelation({
    roomId: room.roomId,
    content,
    target: target && { roomId: target.roomId, content: target.pdu.content },
    hasSameAnnotation: isAnnotated || hasRecentAnnotation(room, { userId, eventType, relation }),
  })
  if (refusal) throw refusal
}

function hasRecentAnnotation({ annotations }: Room, { userId, eventType, relation }: { userId: UserId; eventType: string; relation: Relation }): boolean {
  const wanted = saidBy(userId, eventType, relation)
  return wanted !== undefined && annotations.values().some(({ value }) => value === wanted)
}

/** Remembers an annotation as long as the tables may not hold it. */
export function noteAnnotation({ annotations }: Room, eventId: EventId, { sender, type, content }: Pdu, at: At): void {
  const relation = relationOf(content)
  const said = relation && saidBy(sender, type, relation)
  if (said !== undefined) remember(annotations, eventId, said, at)
}

/** What one user may say only once; undefined for any other relation. */
const saidBy = (userId: UserId, eventType: string, { relType, eventId, key }: Relation): string | undefined =>
  relType === 'm.annotation' ? JSON.stringify([userId, eventType, eventId, key]) : undefined
