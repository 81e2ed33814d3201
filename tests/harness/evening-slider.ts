import { memberOf, type RoomView } from './evening-view.ts'
import { callServer, type ClientEvent, type Json, type Session } from './http-client.ts'

/** What a client of sliding sync knows of a room; the last event and members only of rooms that it is in, and of these but some. */
export type SlidRoom = { membership: string; name: string | null; topic: string | null; joined: number; invited: number; unread: number; loud: number; last: string | null; members: Readonly<Record<string, string>> }

type Room = Readonly<{
  initial?: boolean
  required_state?: readonly ClientEvent[]
  invite_state?: readonly ClientEvent[]
  timeline?: readonly ClientEvent[]
  joined_count?: number
  invited_count?: number
  notification_count?: number
  highlight_count?: number
}>
type Answer = Readonly<{
  pos: string
  lists: Readonly<{ all_rooms: Readonly<{ count: number }> }>
  rooms: Readonly<Record<string, Room>>
  extensions: Readonly<{ account_data?: { global: readonly { type: string; content: Json }[] } }>
}>

/** As Element X asks: in one list, for as many rooms as the newest answer has counted. What is more comes later. */
const bodyFor = (count: number) => ({
  conn_id: 'room-list',
  lists: {
    all_rooms: {
      ranges: [[0, Math.max(count, 1) - 1]],
      timeline_limit: 1,
      required_state: [['m.room.name', ''], ['m.room.topic', ''], ['m.room.member', '$ME'], ['m.room.member', '$LAZY'], ['m.room.create', '']],
    },
  },
  extensions: { account_data: { enabled: true }, receipts: { enabled: true, rooms: ['*'] }, typing: { enabled: true } },
})
/** Rooms that are asked for before any are counted. */
const FIRST_ROOMS = 20
const PATH = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync'
/** One answer in so many is lost on the way. */
const LOSES_EVERY = 7
const SOON_MS = 20

export type Slider = Readonly<{ rooms: ReadonlyMap<string, SlidRoom>; accountData: ReadonlyMap<string, Json>; stop: () => Promise<void> }>

/** A client of sliding sync that keeps nothing but what it is told, on a bad connection. */
export function slide({ url, userId, accessToken }: Session): Slider {
  const rooms = new Map<string, SlidRoom>()
  const accountData = new Map<string, Json>()
  const stopped = new AbortController()
  let isStopped = false
  const run = async (): Promise<void> => {
    let [pos, count] = ['', FIRST_ROOMS]
    for (let answers = 1; !isStopped; answers++) {
      const query = pos === '' ? '' : `?timeout=30000&pos=${pos}`
      const answer = await callServer(url, 'POST', PATH + query, { token: accessToken, body: bodyFor(count), signal: stopped.signal }).catch(() => undefined)
      if (answer?.status === 400) throw new Error(`${userId} had to begin anew: ${JSON.stringify(answer.body)}`)
      if (answer?.status !== 200) await Bun.sleep(SOON_MS)
      else if (answers % LOSES_EVERY !== 0) {
        const told = answer.body as unknown as Answer
        for (const { type, content } of told.extensions.account_data?.global ?? []) accountData.set(type, content)
        for (const [roomId, room] of Object.entries(told.rooms)) rooms.set(roomId, after(userId, rooms.get(roomId), room))
        pos = told.pos
        count = told.lists.all_rooms.count
      }
    }
  }
  const running = run()
  return {
    rooms,
    accountData,
    stop: () => {
      isStopped = true
      stopped.abort()
      return running
    },
  }
}

function after(userId: string, known: SlidRoom | undefined, room: Room): SlidRoom {
  const before = room.initial || !known ? { membership: 'join', name: null, topic: null, joined: 0, invited: 0, unread: 0, loud: 0, last: null, members: known?.members ?? {} } : known
  const state = room.invite_state ?? room.required_state ?? []
  const own = state.findLast(({ type, state_key }) => type === 'm.room.member' && state_key === userId)
  const textOf = (type: string, field: string, old: string | null): string | null => {
    const event = state.findLast((each) => each.type === type)
    return event ? String(event.content[field] ?? '') || null : old
  }
  return {
    membership: own ? String(own.content['membership']) : before.membership,
    name: textOf('m.room.name', 'name', before.name),
    topic: textOf('m.room.topic', 'topic', before.topic),
    joined: room.joined_count ?? before.joined,
    invited: room.invited_count ?? before.invited,
    unread: room.notification_count ?? before.unread,
    loud: room.highlight_count ?? before.loud,
    last: room.timeline?.at(-1)?.event_id ?? before.last,
    members: { ...before.members, ...Object.fromEntries(state.filter(({ type }) => type === 'm.room.member').map(({ state_key, content }) => [state_key, memberOf(content)])) },
  }
}

/** The same of a room as the server shows it to a new device. */
export function asSlid({ membership, state, members, counts }: RoomView, last: string | null): SlidRoom {
  const textOf = (place: string, field: string): string | null => String((state[place] as Json | undefined)?.[field] ?? '') || null
  const totals = Object.values(counts).map((count) => count.split(' of them ').map((text) => Number.parseInt(text, 10)))
  const sum = (at: number): number => totals.reduce((total, count) => total + (count[at] ?? 0), 0)
  const having = (prefix: string): number => Object.values(members).filter((member) => member.startsWith(prefix)).length
  const isIn = membership === 'join'
  return {
    membership, name: textOf('m.room.name|', 'name'), topic: textOf('m.room.topic|', 'topic'), joined: isIn ? having('join') : 0, invited: isIn ? having('invite') : 0,
    unread: sum(0), loud: sum(1), last, members: isIn ? members : {},
  }
}
