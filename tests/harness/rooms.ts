import type { EventId, RoomId } from '#schema/identifiers.ts'
import type { Caller } from './house.ts'

/** What tests do with rooms before they come to the point. Everything here throws when the server refuses. */

let transactions = 0

/** The path of something in a room, under `/v3`. */
export const inRoom = (roomId: string, rest: string): string => `/v3/rooms/${encodeURIComponent(roomId)}${rest}`

/** One call that must succeed; its body. */
export async function done(caller: Caller, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await caller.answer(method, path, body)
  if (answer.status !== 200) throw new Error(`${method} ${path} answered ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

export async function makeRoom(owner: Caller, body: object = {}): Promise<RoomId> {
  return (await done(owner, 'POST', '/v3/createRoom', body)).room_id as RoomId
}

/** Invites and joins each of them. */
export async function bringIn(owner: Caller, roomId: RoomId, ...guests: readonly Caller[]): Promise<void> {
  for (const guest of guests) {
    await done(owner, 'POST', inRoom(roomId, '/invite'), { user_id: guest.userId })
    await done(guest, 'POST', inRoom(roomId, '/join'), {})
  }
}

export async function say(caller: Caller, roomId: RoomId, text: string, more: object = {}): Promise<EventId> {
  const body = { msgtype: 'm.text', body: text, ...more }
  return (await done(caller, 'PUT', inRoom(roomId, `/send/m.room.message/t${++transactions}`), body)).event_id as EventId
}

export async function setState(caller: Caller, roomId: RoomId, type: string, content: object, stateKey = ''): Promise<EventId> {
  return (await done(caller, 'PUT', inRoom(roomId, `/state/${type}/${encodeURIComponent(stateKey)}`), content)).event_id as EventId
}

/** The content at one place of the state, or the error's body. */
export async function stateContent(caller: Caller, roomId: RoomId, type: string, stateKey = ''): Promise<Record<string, unknown>> {
  return (await caller.answer('GET', inRoom(roomId, `/state/${type}/${encodeURIComponent(stateKey)}`))).body
}

export type ShownEvent = Readonly<{
  event_id: string
  type: string
  sender: string
  state_key?: string
  room_id?: string
  content: Record<string, unknown>
  unsigned: Record<string, unknown>
}>

/** The current state as `type` or `type|state_key` by content. */
export async function wholeState(caller: Caller, roomId: RoomId): Promise<ShownEvent[]> {
  const response = await caller('GET', inRoom(roomId, '/state'))
  return (await response.json()) as ShownEvent[]
}

export const bodiesOf = (events: unknown): unknown[] => (events as ShownEvent[]).map(({ content, type }) => content.body ?? type)
