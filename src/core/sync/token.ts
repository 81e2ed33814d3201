/**
 * What a sync token says: the journal up to `position`, and what no journal holds (who types, who is online) up to
 * `volatile`, counted since the start of the process that `boot` names. Printed as `s4711_mc2k9_12`; with `_d4600` behind
 * it when more messages to the device were waiting than one answer brings: then it has them only up to `toDevice`. With
 * `_cmc2k9-3` behind it, it is the third state of a sliding-sync connection.
 */
export type SyncToken = Readonly<{
  position: number
  boot: string
  volatile: number
  toDevice?: number | undefined
  connection?: Readonly<{ start: string; version: number }> | undefined
}>

const SYNC_TOKEN = /^s(\d{1,15})(?:_([a-z0-9]{1,16})_(\d{1,15}))?(?:_d(\d{1,15}))?(?:_c([a-z0-9]{1,16})-(\d{1,15}))?$/

export const printSyncToken = ({ position, boot, volatile, toDevice, connection }: SyncToken): string => {
  const messages = toDevice === undefined ? '' : `_d${toDevice}`
  return `s${position}_${boot}_${volatile}${messages}${connection ? `_c${connection.start}-${connection.version}` : ''}`
}

/** Undefined when the text is no token of ours. */
export function parseSyncToken(text: string): SyncToken | undefined {
  const match = SYNC_TOKEN.exec(text)
  if (!match) return undefined
  const token = { position: Number(match[1]), boot: match[2] ?? '', volatile: Number(match[3] ?? 0) }
  return {
    ...token,
    ...(match[4] === undefined ? {} : { toDevice: Number(match[4]) }),
    ...(match[5] === undefined ? {} : { connection: { start: match[5], version: Number(match[6]) } }),
  }
}

/**
 * A place in a room's history, for `/messages`: after the event of that depth and number. Printed as `t57-4711`.
 * A sync token is a place too: after everything up to its position.
 */
export type TimelineToken = Readonly<{ depth: number; num: number }>

const TIMELINE_TOKEN = /^t(\d{1,16})-(\d{1,16})$/

export const printTimelineToken = ({ depth, num }: TimelineToken): string => `t${depth}-${num}`

export function parseTimelineToken(text: string): TimelineToken | undefined {
  const match = TIMELINE_TOKEN.exec(text)
  return match ? { depth: Number(match[1]), num: Number(match[2]) } : undefined
}
