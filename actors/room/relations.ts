import type { WorldTurn } from '#actors/world.ts'
import type { JsonObject } from '#core/pdu.ts'
import { refuseRelation, type Relation, relationOf } from '#core/relations.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { Room } from './memory.ts'

type NewRelation = Readonly<{ userId: UserId; eventType: string; content: JsonObject; isAnnotated: boolean }>

/**
 * Throws where a message relates to another in a way that must not be: a thread that would start within a relation, the
 * same annotation twice, a target in another room.
 *
 * What an event relates to never changes, so the target may be looked up. Whether the sender has annotated it is asked
 * of the tables by whoever sent the command, and they lag behind by the batches that are on their way to the disk:
 * what these may hold is among the newest events. An answer that is out of date the other way (the annotation has just
 * been redacted) refuses what could as well have come a moment earlier.
 */
export function refuseNewRelation(room: Room, turn: WorldTurn, { userId, eventType, content, isAnnotated }: NewRelation): void {
  const relation = relationOf(content)
  if (!relation) return
  const target = room.recent.get(relation.eventId) ?? turn.event(relation.eventId)
  const refusal = refuseRelation({
    roomId: room.roomId,
    content,
    target: target && { roomId: target.roomId, content: target.pdu.content },
    hasSameAnnotation: isAnnotated || hasRecentAnnotation(room, { userId, eventType, relation }),
  })
  if (refusal) throw refusal
}

function hasRecentAnnotation(room: Room, { userId, eventType, relation }: { userId: UserId; eventType: string; relation: Relation }): boolean {
  if (relation.relType !== 'm.annotation') return false
  for (const { pdu } of room.recent.values()) {
    if (pdu.sender !== userId || pdu.type !== eventType) continue
    const other = relationOf(pdu.content)
    if (other?.relType === 'm.annotation' && other.eventId === relation.eventId && other.key === relation.key) return true
  }
  return false
}
