/**
 * A sync answer is put together from JSON text: what the store keeps is spliced in, nothing is parsed or printed
 * twice. Each function leaves out what has nothing to say. spec: client-server-api#get_matrixclientv3sync
 */

/** One room under `rooms.join` or `rooms.leave`; every list holds finished JSON texts. */
export type RoomSection = Readonly<{
  timeline: readonly string[]
  isLimited: boolean
  prevBatch: string
  state: readonly string[]
  /** The state stands at the end of the timeline and not at its start. spec: client-server-api#syncing (MSC4222) */
  isStateAfter: false | 'state_after' | 'org.matrix.msc4222.state_after'
  ephemeral: readonly string[]
  accountData: readonly string[]
  /** JSON object; undefined: unchanged. */
  summary: string | undefined
  /** JSON object of further members, such as the unread counts, without braces. */
  counts: string
}>

export const isQuiet = ({ timeline, state, ephemeral, accountData, summary, counts }: RoomSection): boolean =>
  timeline.length === 0 && state.length === 0 && ephemeral.length === 0 && accountData.length === 0 && summary === undefined && counts === ''

const events = (name: string, list: readonly string[]): string => `"${name}":{"events":[${list.join(',')}]}`

export function printJoinedRoom(section: RoomSection): string {
  const { summary, counts, ephemeral } = section
  const more = counts === '' ? '' : `,${counts}`
  return `{"summary":${summary ?? '{}'},${printTimeline(section)},${events('ephemeral', ephemeral)},${events('account_data', section.accountData)}${more}}`
}

export const printLeftRoom = (section: RoomSection): string =>
  `{${printTimeline(section)},${events('account_data', section.accountData)}}`

function printTimeline({ timeline, isLimited, prevBatch, state, isStateAfter }: RoomSection): string {
  const stateName = isStateAfter === false ? 'state' : isStateAfter
  return `"timeline":{"events":[${timeline.join(',')}],"limited":${isLimited},"prev_batch":${JSON.stringify(prevBatch)}},${events(stateName, state)}`
}

export const printInvite = (strippedState: readonly string[]): string => `{${events('invite_state', strippedState)}}`
export const printKnock = (strippedState: readonly string[]): string => `{${events('knock_state', strippedState)}}`

export type SyncAnswer = Readonly<{
  nextBatch: string
  accountData: readonly string[]
  presence: readonly string[]
  toDevice: readonly string[]
  /** JSON text of an object, absent in an initial sync. */
  deviceLists: string | undefined
  oneTimeKeyCounts: string
  unusedFallbackKeyTypes: string
  join: ReadonlyMap<string, string>
  invite: ReadonlyMap<string, string>
  knock: ReadonlyMap<string, string>
  leave: ReadonlyMap<string, string>
}>

const rooms = (name: string, entries: ReadonlyMap<string, string>): string[] =>
  entries.size === 0 ? [] : [`"${name}":{${[...entries].map(([id, text]) => `${JSON.stringify(id)}:${text}`).join(',')}}`]

/** Whether there is anything a waiting client would want to be woken for. */
export const hasContent = ({ accountData, presence, toDevice, deviceLists, join, invite, knock, leave }: SyncAnswer): boolean =>
  accountData.length > 0 || presence.length > 0 || toDevice.length > 0 || deviceLists !== undefined ||
  join.size > 0 || invite.size > 0 || knock.size > 0 || leave.size > 0

export function printSync(answer: SyncAnswer): string {
  const sections = [...rooms('join', answer.join), ...rooms('invite', answer.invite), ...rooms('knock', answer.knock), ...rooms('leave', answer.leave)]
  const members = [
    `"next_batch":${JSON.stringify(answer.nextBatch)}`,
    ...(answer.accountData.length > 0 ? [events('account_data', answer.accountData)] : []),
    ...(answer.presence.length > 0 ? [events('presence', answer.presence)] : []),
    ...(answer.toDevice.length > 0 ? [events('to_device', answer.toDevice)] : []),
    ...(answer.deviceLists === undefined ? [] : [`"device_lists":${answer.deviceLists}`]),
    `"device_one_time_keys_count":${answer.oneTimeKeyCounts}`,
    `"device_unused_fallback_key_types":${answer.unusedFallbackKeyTypes}`,
    `"org.matrix.msc2732.device_unused_fallback_key_types":${answer.unusedFallbackKeyTypes}`,
    ...(sections.length > 0 ? [`"rooms":{${sections.join(',')}}`] : []),
  ]
  return `{${members.join(',')}}`
}
