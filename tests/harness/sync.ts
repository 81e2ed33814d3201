import { expect } from 'bun:test'
import type { Caller } from './house.ts'

/** `/v3/sync` as tests look at it. */
export type SyncEvent = Readonly<{
  type: string
  content: Record<string, unknown>
  sender?: string
  state_key?: string
  event_id?: string
  room_id?: string
  unsigned?: Record<string, unknown>
}>
export type SyncEvents = Readonly<{ events: readonly SyncEvent[] }>
export type SyncRoom = Readonly<{
  timeline: SyncEvents & Readonly<{ limited: boolean; prev_batch?: string }>
  state?: SyncEvents
  state_after?: SyncEvents
  ephemeral: SyncEvents
  account_data: SyncEvents
  summary: Record<string, unknown>
  unread_notifications?: Record<string, number>
}>
export type SyncAnswer = Readonly<{
  next_batch: string
  account_data?: SyncEvents
  presence?: SyncEvents
  to_device?: SyncEvents
  device_lists?: Readonly<{ changed: string[]; left: string[] }>
  device_one_time_keys_count: Record<string, number>
  device_unused_fallback_key_types: string[]
  rooms?: Readonly<{
    join?: Record<string, SyncRoom>
    invite?: Record<string, { invite_state: SyncEvents }>
    knock?: Record<string, { knock_state: SyncEvents }>
    leave?: Record<string, SyncRoom>
  }>
}>

export type SyncQuery = Readonly<{ since?: string; filter?: object; full_state?: boolean; use_state_after?: boolean; timeout?: number; set_presence?: string }>

/** One answer; it must succeed. */
export async function syncOf(caller: Caller, { filter, ...rest }: SyncQuery = {}): Promise<SyncAnswer> {
  const query = new URLSearchParams(Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]))
  if (filter) query.set('filter', JSON.stringify(filter))
  const { status, body } = await caller.answer('GET', `/v3/sync?${query}`)
  expect({ status, body }).toMatchObject({ status: 200 })
  return body as unknown as SyncAnswer
}

/** What a joined room tells; fails where it tells nothing. */
export async function joinedRoom(caller: Caller, roomId: string, query: SyncQuery = {}): Promise<SyncRoom> {
  const room = (await syncOf(caller, query)).rooms?.join?.[roomId]
  if (!room) throw new Error(`${roomId} is not among the joined rooms`)
  return room
}

/** The bodies of messages, and the types of all else. */
export const told = (events: SyncEvents | undefined): unknown[] => (events?.events ?? []).map(({ type, content }) => content.body ?? type)

/** `type|state key` of each, in order of their names. */
export const placesOf = (events: SyncEvents | undefined): string[] => (events?.events ?? []).map(({ type, state_key }) => `${type}|${state_key}`).sort()

/** Who is told of, with their memberships. */
export const membersIn = (events: SyncEvents | undefined): Record<string, unknown> =>
  Object.fromEntries((events?.events ?? []).filter(({ type }) => type === 'm.room.member').map(({ state_key, content }) => [state_key, content.membership]))
