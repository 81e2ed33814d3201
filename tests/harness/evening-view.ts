import { call, type ClientEvent, type Json, messages, type Session } from './http-client.ts'

/** What one user is shown of their account, in a form in which any client's view can be put. */
export type RoomView = Readonly<{
  membership: string
  /** Content by `type|key`, members left out. */
  state: Readonly<Record<string, unknown>>
  /** Membership and name of everyone. */
  members: Readonly<Record<string, string>>
  /** Notifications and highlights of the main timeline (`main`) and of each thread; who has none is left out. */
  counts: Readonly<Record<string, string>>
  /** Event ids by `user type thread`. */
  receipts: Readonly<Record<string, string>>
  accountData: Readonly<Record<string, unknown>>
}>

export type View = Readonly<{ rooms: Readonly<Record<string, RoomView>>; accountData: Readonly<Record<string, unknown>> }>

type Events = Readonly<{ events: readonly (ClientEvent & Json)[] }>
type Counts = Readonly<{ notification_count: number; highlight_count: number }>
type Room = Readonly<{
  timeline: Events
  state: Events
  ephemeral: Events
  account_data: Events
  invite_state: Events
  knock_state: Events
  unread_notifications: Counts
  unread_thread_notifications: Readonly<Record<string, Counts>>
}>
type Whole = Readonly<{ account_data?: Events; rooms?: Readonly<Record<'join' | 'invite' | 'knock' | 'leave', Readonly<Record<string, Room>> | undefined>> }>

const FILTER = JSON.stringify({ room: { include_leave: true, timeline: { limit: 10, unread_thread_notifications: true } } })
const MEMBER = 'm.room.member'

const wholeOf = (session: Session): Promise<Whole> => call(session, 'GET', `/sync?${new URLSearchParams({ filter: FILTER })}`)

const ownMember = ({ userId }: Session, events: Events['events']) =>
  events.findLast(({ type, state_key }) => type === MEMBER && state_key === userId)

/** Rooms that were left of one's own accord: who signs in later does not hear of them. */
export async function endedRooms(session: Session): Promise<string[]> {
  const { rooms } = await wholeOf(session)
  return Object.entries(rooms?.leave ?? {}).flatMap(([roomId, { timeline, state }]) => {
    const own = ownMember(session, [...state.events, ...timeline.events])
    return own?.sender === session.userId && own.content['membership'] === 'leave' ? [roomId] : []
  })
}

/** The view that the server gives to a device that is new. */
export async function viewOfServer(session: Session): Promise<View> {
  const whole = await wholeOf(session)
  const rooms = new Map<string, RoomView>()
  for (const [roomId, room] of Object.entries(whole.rooms?.join ?? {})) rooms.set(roomId, await joinedRoom(session, roomId, room))
  for (const [roomId, { invite_state }] of Object.entries(whole.rooms?.invite ?? {})) rooms.set(roomId, outside('invite', invite_state.events))
  for (const [roomId, { knock_state }] of Object.entries(whole.rooms?.knock ?? {})) rooms.set(roomId, outside('knock', knock_state.events))
  for (const [roomId, { timeline, state }] of Object.entries(whole.rooms?.leave ?? {})) {
    const own = ownMember(session, [...state.events, ...timeline.events])
    rooms.set(roomId, outside(String(own?.content['membership']), []))
  }
  return { rooms: Object.fromEntries(rooms), accountData: dataIn(whole.account_data) }
}

/** State and members are asked for where they are kept, not where sync tells of them. */
async function joinedRoom(session: Session, roomId: string, room: Room): Promise<RoomView> {
  const state = Object.values(await call<Record<string, ClientEvent>>(session, 'GET', `/rooms/${encodeURIComponent(roomId)}/state`))
  return { ...outside('join', state), counts: countsOf(room), receipts: receiptsIn(room.ephemeral.events), accountData: dataIn(room.account_data) }
}

export const outside = (membership: string, state: readonly Readonly<{ type: string; state_key?: string; content: unknown }>[]): RoomView => ({
  membership,
  state: Object.fromEntries(state.filter(({ type }) => type !== MEMBER).map(({ type, state_key, content }) => [`${type}|${state_key}`, content])),
  members: Object.fromEntries(state.filter(({ type }) => type === MEMBER).map(({ state_key, content }) => [state_key, memberOf(content)])),
  counts: {},
  receipts: {},
  accountData: {},
})

export function memberOf(content: unknown): string {
  const { membership, displayname } = Object(content) as { membership?: unknown; displayname?: unknown }
  return membership === 'join' || membership === 'invite' ? `${membership} as ${displayname}` : `${membership}`
}

function countsOf({ unread_notifications: main, unread_thread_notifications: threads }: Room): RoomView['counts'] {
  const all = Object.entries({ main, ...threads }).filter(([, count]) => count.notification_count + count.highlight_count > 0)
  return Object.fromEntries(all.map(([thread, { notification_count, highlight_count }]) => [thread, printCount(notification_count, highlight_count)]))
}

export const printCount = (notifications: number, highlights: number): string => `${notifications} of them ${highlights} loud`

type Receipts = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Readonly<{ thread_id?: string }>>>>>>>

/** All receipts that are told in `m.receipt` events, the last one of each sort. */
export function receiptsIn(events: readonly Readonly<{ type?: unknown; content?: unknown }>[]): Record<string, string> {
  const receipts: Record<string, string> = {}
  for (const { content } of events.filter(({ type }) => type === 'm.receipt')) {
    for (const [eventId, types] of Object.entries(content as Receipts)) {
      for (const [type, users] of Object.entries(types)) {
        for (const [userId, { thread_id }] of Object.entries(users)) receipts[`${userId} ${type} ${thread_id ?? 'all'}`] = eventId
      }
    }
  }
  return receipts
}

const dataIn = (events: Events | undefined): Record<string, unknown> => Object.fromEntries((events?.events ?? []).map(({ type, content }) => [type, content]))

/** Everything that was ever said in a room as far as the reader may see it, oldest first. */
export async function historyOf(session: Session, roomId: string): Promise<ClientEvent[]> {
  const events: ClientEvent[] = []
  for (let from: string | undefined; ;) {
    const page = await messages(session, roomId, from)
    events.push(...page.chunk)
    if (page.end === undefined) return events.reverse()
    from = page.end
  }
}
