import type { SlidingForm } from './sliding-request.ts'

/**
 * A sliding-sync answer is put together from JSON text, as that of `/v3/sync` is; what is undefined is left out.
 * spec: MSC4186
 */
export type RoomAnswer = Readonly<{
  isInitial: boolean
  /** JSON text: a string, or null for one that was removed. */
  name?: string | undefined
  avatar?: string | undefined
  heroes?: string | undefined
  isDm?: boolean | undefined
  isExpanded?: boolean
  requiredState?: readonly string[] | undefined
  timeline?: Readonly<{ events: readonly string[]; isLimited: boolean; prevBatch: string; live: number }> | undefined
  strippedState?: readonly string[] | undefined
  joinedCount?: number | undefined
  invitedCount?: number | undefined
  unread?: Readonly<{ notify: number; highlight: number }> | undefined
  bumpStamp: number
  membership: string
  lists: readonly string[]
}>

export function printSlidingRoom(room: RoomAnswer, form: SlidingForm): string {
  const { timeline, requiredState, strippedState, unread } = room
  const isNew = form === 'v4'
  const members = [
    `"bump_stamp":${room.bumpStamp}`,
    ...(room.isInitial ? ['"initial":true'] : []),
    ...given('name', room.name === 'null' && !isNew ? undefined : room.name),
    ...given('avatar', room.avatar),
    ...given('heroes', room.heroes),
    ...given('is_dm', room.isDm),
    ...(room.isExpanded ? [isNew ? '"expanded_timeline":true' : '"unstable_expanded_timeline":true'] : []),
    ...(requiredState ? [`"required_state":[${requiredState.join(',')}]`] : []),
    ...(timeline ? [printTimeline(timeline)] : []),
    ...(strippedState ? [`"${isNew ? 'stripped_state' : 'invite_state'}":[${strippedState.join(',')}]`] : []),
    ...given('joined_count', room.joinedCount),
    ...given('invited_count', room.invitedCount),
    ...(unread && !isNew ? [`"notification_count":${unread.notify},"highlight_count":${unread.highlight}`] : []),
    ...(isNew ? [`"membership":${JSON.stringify(room.membership)}`] : []),
    ...(isNew && room.lists.length > 0 ? [`"lists":${JSON.stringify(room.lists)}`] : []),
  ]
  return `{${members.join(',')}}`
}

const given = (name: string, value: string | number | boolean | undefined): string[] => (value === undefined ? [] : [`"${name}":${value}`])

const printTimeline = ({ events, isLimited, prevBatch, live }: NonNullable<RoomAnswer['timeline']>): string =>
  `"timeline":[${events.join(',')}],"limited":${isLimited},"prev_batch":${JSON.stringify(prevBatch)},"num_live":${live}`

/** `ops`: the places and room ids of the windows, where they are told at all. */
export type ListAnswer = Readonly<{ count: number; ops?: readonly Readonly<{ range: readonly [number, number]; roomIds: readonly string[] }>[] | undefined }>

export function printList({ count, ops }: ListAnswer): string {
  if (!ops) return `{"count":${count}}`
  const printed = ops.map(({ range, roomIds }) => JSON.stringify({ op: 'SYNC', range, room_ids: roomIds }))
  return `{"count":${count},"ops":[${printed.join(',')}]}`
}

export type SlidingAnswer = Readonly<{
  pos: string
  txnId: string | undefined
  /** Members of the JSON object, without braces. */
  lists: string
  rooms: ReadonlyMap<string, string>
  /** JSON texts by the key of the extension. */
  extensions: ReadonlyMap<string, string>
}>

export function printSlidingSync({ pos, txnId, lists, rooms, extensions }: SlidingAnswer): string {
  const txn = txnId === undefined ? '' : `,"txn_id":${JSON.stringify(txnId)}`
  return `{"pos":${JSON.stringify(pos)}${txn},"lists":{${lists}},"rooms":{${entries(rooms)}},"extensions":{${entries(extensions)}}}`
}

const entries = (texts: ReadonlyMap<string, string>): string => [...texts].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')
