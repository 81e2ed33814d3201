import { contentSpan } from '#core/content-span.ts'
import { canonicalJson } from '#core/canonical-json.ts'
import { redactEvent } from '#core/redaction.ts'
import { type ClientEvent, clientEventBody } from '#core/sync/client-event.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { findRoomVersion } from './room-state.ts'
import type { Sight } from './sight.ts'
import { PDU_COLUMNS, pduOf, type PduRow } from './stored-pdu.ts'
import type { Store } from './store.ts'
import { findUser } from './users.ts'

/**
 * What a reader is shown of events whose senders have had their account erased: whole to those who were in the room
 * when it was said, redacted to everyone else. State is always shown whole.
 * spec: client-server-api#post_matrixclientv3accountdeactivate
 */
export function erasureFor(store: Store, roomId: RoomId, sight: Sight): (event: ClientEvent) => ClientEvent {
  const erased = new Map<UserId, boolean>()
  const isErased = (sender: UserId): boolean => {
    const known = erased.get(sender)
    if (known !== undefined) return known
    const answer = findUser(store, sender)?.isErased ?? false
    erased.set(sender, answer)
    return answer
  }
  return (event) => {
    if (event.stateKey !== null || !isErased(event.sender)) return event
    const wasThere = sight.membershipAt(event.num) === 'join' || sight.membershipAt(event.num - 1) === 'join'
    return wasThere ? event : redacted(store, roomId, event)
  }
}

/** The event as it would be shown after a redaction. */
export function redacted(store: Store, roomId: RoomId, event: ClientEvent): ClientEvent {
  const rules = findRoomVersion(store, roomId)
  const row = store.db.query<PduRow, [number]>(`SELECT ${PDU_COLUMNS} FROM events e WHERE e.num = ?`).get(event.num)
  if (!rules || !row) throw new Error(`event ${event.eventId} or its room is missing`)
  const pdu = redactEvent(rules, pduOf(store, row))
  const json = canonicalJson(pdu)
  const [start, end] = contentSpan(pdu, json)
  return { ...event, body: clientEventBody({ ...event, content: json.slice(start, end) }) }
}
