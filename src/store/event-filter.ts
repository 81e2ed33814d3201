import type { ClientEvent } from '#core/sync/client-event.ts'
import { type EventFilter, matchesEventFilter, matchesRelations, needsRelations, NO_EVENT_FILTER } from '#core/sync/filter.ts'
import type { RoomId } from '#schema/identifiers.ts'
import { listRelationsTo } from './relations.ts'
import type { Store } from './store.ts'

/** Does an event of a room pass, with what relates to it? spec: client-server-api#filtering */
export const passesFilter = (store: Store, filter: EventFilter, event: ClientEvent, roomId: RoomId): boolean =>
  filter === NO_EVENT_FILTER || (matchesEventFilter(filter, filterable(event, roomId)) && isRelatedAsWanted(store, filter, event))

/** The content is parsed only where a filter asks for it. */
const filterable = ({ type, sender, body }: ClientEvent, roomId: RoomId) => ({
  type,
  sender,
  roomId,
  get content(): unknown {
    return (JSON.parse(`${body}}`) as { content: unknown }).content
  },
})

const isRelatedAsWanted = (store: Store, filter: EventFilter, { num }: ClientEvent): boolean =>
  !needsRelations(filter) || matchesRelations(filter, listRelationsTo(store, num))
