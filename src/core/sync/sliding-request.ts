import type { Static } from '@sinclair/typebox'
import type { slidingSync, slidingSyncV4 } from '#schema/client/sliding-sync.ts'
import { isRoomId, type RoomId, type UserId } from '#schema/identifiers.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import { type RequiredState, requiredStateOfPairs, type StateWish, wishOf } from './required-state.ts'
import type { SlidingFilter } from './sliding-filter.ts'
import { TIMELINE_LIMIT } from './filter.ts'
import type { Range } from './window.ts'

/** Clients speak one of two forms of MSC4186; past this file they differ only in how the answer is printed. */
export type SlidingForm = 'unstable' | 'v4'

export const LIST_LIMIT = 100
export const SUBSCRIPTION_LIMIT = 100
/** As many as a client may have in the form without a limit of its own. */
const OLD_SUBSCRIPTION_LIMIT = 2_000
const REQUIRED_STATE_LIMIT = 500

export type RoomConfig = Readonly<{ timelineLimit: number; wish: StateWish }>
export type SlidingList = RoomConfig & Readonly<{ ranges: readonly Range[] | undefined; filter: SlidingFilter | undefined }>

/** Absent: everything that the lists or subscriptions name. */
export type Scope = Readonly<{ lists: readonly string[] | undefined; rooms: readonly string[] | undefined }>

export type SlidingExtensions = Readonly<{
  /** `key`: under which the client looks for the answer. */
  toDevice: Readonly<{ key: string; limit: number; since: string | undefined }> | undefined
  encryption: Readonly<{ key: string }> | undefined
  accountData: Scope | undefined
  receipts: Scope | undefined
  typing: Scope | undefined
  threads: Readonly<{ limit: number }> | undefined
  stickyEvents: Readonly<{ limit: number; since: string | undefined }> | undefined
  /** `fields` undefined: all. */
  profiles: (Scope & Readonly<{ fields: readonly string[] | undefined }>) | undefined
}>

export type SlidingRequest = Readonly<{
  form: SlidingForm
  connId: string
  pos: string | undefined
  txnId: string | undefined
  timeoutMs: number
  setPresence: string | undefined
  lists: ReadonlyMap<string, SlidingList>
  subscriptions: ReadonlyMap<RoomId, RoomConfig>
  extensions: SlidingExtensions
  /** Equal for requests that ask for the same. */
  text: string
}>

type OldQuery = Static<typeof slidingSync.query>
type OldBody = Static<typeof slidingSync.body>
type NewBody = Static<typeof slidingSyncV4.body>

/** The form in use; `txn_id` comes back. */
export function readOldRequest(query: OldQuery, body: OldBody, userId: UserId): SlidingRequest {
  const configOf = ({ timeline_limit, required_state = [] }: { timeline_limit: number; required_state?: [string, string][] }): RoomConfig =>
    ({ timelineLimit: timeline_limit, wish: wishOf([requiredStateOfPairs(required_state, userId)]) })
  const lists = Object.entries(body.lists ?? {}).map(([name, list]): [string, SlidingList] => [name, {
    ...checked(configOf(list), list.required_state?.length ?? 0),
    ranges: list.slow_get_all_rooms ? undefined : list.ranges,
    filter: list.filters ? { ...filterOf(list.filters), isInvited: list.filters.is_invite, nameLike: list.filters.room_name_like } : undefined,
  }])
  const subscriptions = Object.entries(body.room_subscriptions ?? {})
  if (subscriptions.length > OLD_SUBSCRIPTION_LIMIT) throw invalidParam(`At most ${OLD_SUBSCRIPTION_LIMIT} rooms can be subscribed to`)
  return {
    form: 'unstable',
    connId: body.conn_id ?? '',
    pos: query.pos === '' ? undefined : query.pos,
    txnId: body.txn_id,
    timeoutMs: Number(query.timeout ?? 0),
    setPresence: query.set_presence,
    lists: checkedLists(lists),
    subscriptions: new Map(subscriptions.flatMap(([roomId, room]): [RoomId, RoomConfig][] =>
      isRoomId(roomId) ? [[roomId, checked(configOf(room), room.required_state?.length ?? 0)]] : [])),
    extensions: extensionsOf(body.extensions ?? {}),
    text: JSON.stringify([body.lists, body.room_subscriptions, body.extensions]),
  }
}

type NewRequired = { include?: PatternBody[]; exclude?: PatternBody[]; lazy_members?: boolean }
type PatternBody = { type?: string; state_key?: string }

/** The form that was accepted. */
export function readNewRequest(body: NewBody): SlidingRequest {
  const { pos } = body
  const configOf = ({ timeline_limit, required_state }: { timeline_limit: number; required_state: NewRequired }): RoomConfig =>
    checked({ timelineLimit: timeline_limit, wish: wishOf([requiredStateOf(required_state)]) },
      (required_state.include?.length ?? 0) + (required_state.exclude?.length ?? 0))
  const lists = Object.entries(body.lists ?? {}).map(([name, list]): [string, SlidingList] => [name, {
    ...configOf(list),
    ranges: list.range ? [list.range] : undefined,
    filter: list.filters ? { ...filterOf(list.filters), isInvited: list.filters.is_invited } : undefined,
  }])
  const subscriptions = Object.entries(body.room_subscriptions ?? {})
  if (subscriptions.length > SUBSCRIPTION_LIMIT) throw invalidParam(`At most ${SUBSCRIPTION_LIMIT} rooms can be subscribed to`)
  const badName = lists.find(([name]) => !/^[A-Za-z0-9._~-]{1,255}$/.test(name))
  if (badName) throw invalidParam('The name of a list is letters, digits, ".", "_", "~" and "-"')
  return {
    form: 'v4',
    connId: body.conn_id ?? '',
    pos: pos === '' ? undefined : pos,
    txnId: undefined,
    timeoutMs: body.timeout ?? 0,
    setPresence: body.set_presence,
    lists: checkedLists(lists),
    subscriptions: new Map(subscriptions.flatMap(([roomId, room]): [RoomId, RoomConfig][] => (isRoomId(roomId) ? [[roomId, configOf(room)]] : []))),
    extensions: extensionsOf(body.extensions ?? {}),
    text: JSON.stringify([body.lists, body.room_subscriptions, body.extensions]),
  }
}

function requiredStateOf({ include = [], exclude = [], lazy_members = false }: NewRequired): RequiredState {
  const patterns = (list: readonly PatternBody[]) => list.map(({ type, state_key }) =>
    ({ ...(type === undefined ? {} : { type }), ...(state_key === undefined ? {} : { stateKey: state_key }) }))
  return { include: patterns(include), exclude: patterns(exclude), lazyMembers: lazy_members }
}

/** A server may give less of the timeline than is asked for. */
function checked(config: RoomConfig, patterns: number): RoomConfig {
  if (patterns > REQUIRED_STATE_LIMIT) throw invalidParam(`required_state may have at most ${REQUIRED_STATE_LIMIT} entries`)
  return config.timelineLimit <= TIMELINE_LIMIT ? config : { ...config, timelineLimit: TIMELINE_LIMIT }
}

function checkedLists(lists: readonly [string, SlidingList][]): ReadonlyMap<string, SlidingList> {
  if (lists.length > LIST_LIMIT) throw invalidParam(`There may be at most ${LIST_LIMIT} lists`)
  return new Map(lists)
}

const filterOf = (filters: {
  is_dm?: boolean
  spaces?: string[]
  is_encrypted?: boolean
  room_types?: (string | null)[]
  not_room_types?: (string | null)[]
  tags?: string[]
  not_tags?: string[]
}): SlidingFilter => ({
  isDm: filters.is_dm,
  spaces: filters.spaces,
  isEncrypted: filters.is_encrypted,
  roomTypes: filters.room_types,
  notRoomTypes: filters.not_room_types,
  tags: filters.tags,
  notTags: filters.not_tags,
})

/** What one answer brings at most, and what it brings where the client does not say. */
export const TO_DEVICE_LIMIT = 100
export const THREADS_LIMIT = 100
export const STICKY_LIMIT = 100

type ExtensionsBody = NonNullable<NewBody['extensions']>

function extensionsOf(body: ExtensionsBody): SlidingExtensions {
  const scopeOf = (extension: { enabled?: boolean; lists?: string[]; rooms?: string[] } | undefined): Scope | undefined =>
    extension?.enabled ? { lists: everything(extension.lists), rooms: everything(extension.rooms) } : undefined
  const toDevice = firstEnabled(body, ['to_device', 'org.matrix.msc4538.to_device'] as const)
  const encryption = firstEnabled(body, ['e2ee', 'org.matrix.msc4543.e2ee'] as const)
  const threads = body['io.element.msc4308.thread_subscriptions']
  const sticky = body['org.matrix.msc4354.sticky_events']
  const profiles = body['org.matrix.msc4262.profiles']
  const profileScope = scopeOf(profiles)
  return {
    toDevice: toDevice && { key: toDevice.key, limit: Math.min(toDevice.value.limit ?? TO_DEVICE_LIMIT, TO_DEVICE_LIMIT), since: toDevice.value.since },
    encryption: encryption && { key: encryption.key },
    accountData: scopeOf(body.account_data),
    receipts: scopeOf(body.receipts),
    typing: scopeOf(body.typing),
    stickyEvents: sticky?.enabled ? { limit: Math.min(sticky.limit ?? STICKY_LIMIT, STICKY_LIMIT), since: sticky.since } : undefined,
    profiles: profileScope && { ...profileScope, fields: profiles?.fields },
    threads: threads?.enabled ? { limit: Math.min(threads.limit ?? THREADS_LIMIT, THREADS_LIMIT) } : undefined,
  }
}

function firstEnabled<const Key extends keyof ExtensionsBody>(body: ExtensionsBody, keys: readonly Key[]) {
  for (const key of keys) {
    const value = body[key]
    if (value?.enabled) return { key, value }
  }
  return undefined
}

const everything = (names: readonly string[] | undefined): readonly string[] | undefined =>
  names?.includes('*') ? undefined : names
