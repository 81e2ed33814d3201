import type { Caller } from './house.ts'
import { done, type ShownEvent } from './rooms.ts'
import { type SyncRoom, syncOf } from './sync.ts'

/** What a client has put together of one room from all the answers that reached it. */
export type Kept = {
  /** `type|state key` → event id. */
  state: Map<string, string>
  accountData: Map<string, string>
  /** Event ids, from the last gap on. */
  timeline: string[]
  counts: unknown
}

/** Syncs once and keeps what it is told; an answer that is `lost` changes nothing. */
export type KeepingClient = Readonly<{ name: string; rooms: ReadonlyMap<string, Kept>; sync: (isLost: boolean) => Promise<void> }>

const nothing = (): Kept => ({ state: new Map(), accountData: new Map(), timeline: [], counts: undefined })

const placeOf = ({ type, state_key }: Pick<ShownEvent, 'type' | 'state_key'>): string => `${type}|${state_key}`

function keepState(kept: Kept, events: readonly Partial<ShownEvent>[] = []): void {
  for (const { type = '', state_key, event_id = '' } of events)
    if (state_key !== undefined) kept.state.set(placeOf({ type, state_key }), event_id)
}

function keepAccountData(kept: Kept, events: readonly { type: string; content: object }[] = []): void {
  for (const { type, content } of events) {
    if (Object.keys(content).length === 0) kept.accountData.delete(type)
    else kept.accountData.set(type, JSON.stringify(content))
  }
}

function keepTimeline(kept: Kept, events: readonly Partial<ShownEvent>[], isGap: boolean): void {
  if (isGap) kept.timeline = []
  for (const { event_id = '' } of events) if (!kept.timeline.includes(event_id)) kept.timeline.push(event_id)
}

/** A client of `/v3/sync`. `limit` is asked anew for each request. */
export function syncingClient(name: string, caller: Caller, { filter = {}, isStateAfter = false, limit }: { filter?: object; isStateAfter?: boolean; limit: () => number }): KeepingClient {
  const rooms = new Map<string, Kept>()
  const former = new Map<string, Kept>()
  let since: string | undefined
  const keep = (roomId: string, room: SyncRoom): Kept => {
    const kept = rooms.get(roomId) ?? former.get(roomId) ?? nothing()
    if (!isStateAfter) keepState(kept, room.state?.events)
    keepTimeline(kept, room.timeline.events, room.timeline.limited)
    keepState(kept, isStateAfter ? room.state_after?.events : room.timeline.events)
    keepAccountData(kept, room.account_data.events)
    return kept
  }
  const sync = async (isLost: boolean): Promise<void> => {
    const wanted = { room: { ...filter, timeline: { limit: limit() } } }
    const answer = await syncOf(caller, { filter: wanted, use_state_after: isStateAfter, ...(since === undefined ? {} : { since }) })
    if (isLost) return
    since = answer.next_batch
    for (const [roomId, room] of Object.entries(answer.rooms?.join ?? {})) {
      rooms.set(roomId, Object.assign(keep(roomId, room), { counts: room.unread_notifications }))
      former.delete(roomId)
    }
    for (const [roomId, room] of Object.entries(answer.rooms?.leave ?? {})) {
      if (rooms.has(roomId) || former.has(roomId)) former.set(roomId, keep(roomId, room))
      rooms.delete(roomId)
    }
  }
  return { name, rooms, sync }
}

type SlidRoom = Readonly<{
  initial?: boolean
  required_state?: ShownEvent[]
  timeline?: ShownEvent[]
  limited?: boolean
  notification_count?: number
  highlight_count?: number
}>

/** A client of sliding sync that has all rooms in one list, and begins a room anew when it is told to. */
export function slidingClient(name: string, caller: Caller, { requiredState, limit }: { requiredState: [string, string][]; limit: () => number }): KeepingClient {
  const rooms = new Map<string, Kept>()
  let pos: string | undefined
  const sync = async (isLost: boolean): Promise<void> => {
    const body = {
      conn_id: name,
      lists: { all: { ranges: [[0, 99]], timeline_limit: limit(), required_state: requiredState } },
      extensions: { account_data: { enabled: true } },
    }
    const path = '/unstable/org.matrix.simplified_msc3575/sync'
    const answer = await done(caller, 'POST', pos === undefined ? path : `${path}?pos=${encodeURIComponent(pos)}`, body)
    if (isLost) return
    pos = answer.pos as string
    for (const [roomId, room] of Object.entries(answer.rooms as Record<string, SlidRoom>)) {
      const kept = rooms.get(roomId)
      const now = room.initial || !kept ? { ...nothing(), accountData: kept?.accountData ?? new Map<string, string>() } : kept
      keepState(now, room.required_state)
      keepTimeline(now, room.timeline ?? [], room.limited === true)
      rooms.set(roomId, Object.assign(now, { counts: { notification_count: room.notification_count, highlight_count: room.highlight_count } }))
    }
    const extensions = answer.extensions as { account_data?: { rooms: Record<string, { type: string; content: object }[]> } }
    for (const [roomId, events] of Object.entries(extensions.account_data?.rooms ?? {})) keepAccountData(rooms.get(roomId) ?? nothing(), events)
  }
  return { name, rooms, sync }
}
