import type { Command } from '#actors/kernel/actor.ts'
import type { ConnectionMoved, ConnectionsDropped, SlidingSyncFact } from '#schema/journal/sliding-sync.ts'
import type { Device, DeviceApply, DeviceDecide } from './memory.ts'

/** Sliding-sync connections of one device; of more, the one that was used longest ago goes. Element X has three. */
export const CONNECTIONS_PER_DEVICE = 12
/** A connection that is not used for so long has to begin anew. */
export const CONNECTION_LIMIT_MS = 7 * 24 * 60 * 60_000

export type SlidingSyncCommand =
  /** What an answer changed. Whoever sends it has not waited: a client whose connection is not known begins anew. spec: MSC4186 */
  | Command<'moveConnection', Readonly<Omit<ConnectionMoved, 'kind' | 'userId' | 'deviceId' | 'ts'>>>
  | Command<'dropIdleConnections'>

export const decide = {
  moveConnection(device, { connId, start, from, version, rooms, wishes, globalAccountData }, { now }) {
    if (!device.isThere) return { reply: undefined }
    const { userId, deviceId } = device
    const moved: ConnectionMoved = { kind: 'connectionMoved', userId, deviceId, connId, start, from, version, rooms, wishes, globalAccountData, ts: now }
    return { facts: [...drop(device, surplusOf(device, connId, now)), moved], reply: undefined }
  },

  dropIdleConnections(device, _command, { now }) {
    return { facts: drop(device, idleOf(device, now)), reply: undefined }
  },
} satisfies DeviceDecide<SlidingSyncCommand, SlidingSyncFact>

export const apply = {
  connectionMoved({ connections }, { connId, ts }) {
    // Taken out and put in again it stands last: the first one is the one that was used longest ago.
    connections.delete(connId)
    connections.set(connId, ts)
  },
  connectionsDropped({ connections }, { connIds }) {
    for (const connId of connIds) connections.delete(connId)
  },
} satisfies DeviceApply<SlidingSyncFact>

const drop = ({ userId, deviceId }: Device, connIds: readonly string[]): ConnectionsDropped[] =>
  connIds.length === 0 ? [] : [{ kind: 'connectionsDropped', userId, deviceId, connIds }]

const idleOf = ({ connections }: Device, now: number): string[] =>
  [...connections].filter(([, ts]) => ts < now - CONNECTION_LIMIT_MS).map(([connId]) => connId)

function surplusOf(device: Device, connId: string, now: number): string[] {
  const idle = idleOf(device, now).filter((other) => other !== connId)
  const others = [...device.connections.keys()].filter((other) => other !== connId && !idle.includes(other))
  return [...idle, ...others.slice(0, Math.max(0, others.length - (CONNECTIONS_PER_DEVICE - 1)))]
}
