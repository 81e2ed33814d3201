import { after, type Effect } from '#actors/effects.ts'
import type { Command, Decision } from '#actors/kernel/actor.ts'
import type { Presence, ShownPresence } from '#core/presence-board.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { User, UserApply, UserDecide } from './memory.ts'

/** Timers of the presence, in milliseconds, as the configuration has them. */
export type PresenceTimers = Readonly<{
  /** A device counts as gone so long after its last sync has ended. */
  onlineMs: number
  /** Someone who is online and does nothing for so long is unavailable. */
  idleMs: number
  /** Someone who did something within this time is active now. */
  activeMs: number
}>

export type DevicePresence = Readonly<{ presence: Presence; activeTs: number; untilTs: number }>

/** Memory only: a restart forgets who is online, and who still is says so with the next sync. */
export type UserPresence = Readonly<{
  devices: ReadonlyMap<string, DevicePresence>
  statusMsg: string | null
  lastActiveTs: number | null
  shown: Presence
  timers: PresenceTimers | undefined
  /** When the next timer rings; null: none does. */
  dueTs: number | null
}>

export const noPresence: UserPresence =
  { devices: new Map(), statusMsg: null, lastActiveTs: null, shown: 'offline', timers: undefined, dueTs: null }

/** spec: client-server-api#presence */
export type PresenceCommand =
  /** The user says it. */
  | Command<'setPresence', { deviceId: string; presence: Presence; statusMsg: string | null; timers: PresenceTimers }>
  /** A device syncs and will do so for `forMs`. */
  | Command<'noticeSync', { deviceId: string; presence: Presence; forMs: number; timers: PresenceTimers }>
  /** The user did something by a device: sent, read, typed. */
  | Command<'noticeActivity', { deviceId: string; timers: PresenceTimers }>
  | Command<'presenceDue'>

export type PresenceNote = Readonly<{ kind: 'presenceChanged'; presence: UserPresence }>

export const decide = {
  setPresence({ userId, presence: before, account }, { deviceId, presence, statusMsg, timers }, { now }) {
    if (!account || account.isDeactivated) return { reply: undefined }
    const untilTs = Math.max(now + timers.onlineMs, before.devices.get(deviceId)?.untilTs ?? 0)
    const devices = withDevice(before, deviceId, presence === 'offline' ? undefined : { presence, activeTs: now, untilTs })
    const lastActiveTs = presence === 'offline' ? before.lastActiveTs : now
    return settle(userId, before, { ...before, devices, statusMsg, lastActiveTs, timers }, now)
  },

  noticeSync({ userId, presence: before, account }, { deviceId, presence, forMs, timers }, { now }) {
    if (!account || account.isDeactivated || presence === 'offline') return { reply: undefined }
    const known = before.devices.get(deviceId)
    // A device that is in sync all the time is not in use all the time: only its coming counts as activity.
    const isNew = known === undefined || known.untilTs <= now
    const activeTs = isNew && presence !== 'unavailable' ? now : (known?.activeTs ?? before.lastActiveTs ?? now)
    const said = isBusy(known?.presence) && !isNew ? (known?.presence ?? presence) : presence
    const devices = withDevice(before, deviceId, { presence: said, activeTs, untilTs: now + forMs })
    const lastActiveTs = Math.max(before.lastActiveTs ?? 0, activeTs)
    return settle(userId, before, { ...before, devices, lastActiveTs, timers }, now)
  },

  noticeActivity({ userId, presence: before }, { deviceId, timers }, { now }) {
    const known = before.devices.get(deviceId)
    if (!known || known.untilTs <= now) return { reply: undefined }
    const presence = known.presence === 'unavailable' ? 'online' : known.presence
    const devices = withDevice(before, deviceId, { ...known, presence, activeTs: now })
    return settle(userId, before, { ...before, devices, lastActiveTs: now, timers }, now)
  },

  presenceDue({ userId, presence: before }, _command, { now }) {
    return settle(userId, before, { ...before, dueTs: null }, now)
  },
} satisfies UserDecide<PresenceCommand, never, PresenceNote>

export const apply = {
  presenceChanged(user, { presence }) {
    user.presence = presence
  },
} satisfies UserApply<PresenceNote>

export const mayRest = ({ presence }: User): boolean => presence.devices.size === 0 && presence.statusMsg === null

function withDevice({ devices }: UserPresence, deviceId: string, device: DevicePresence | undefined): ReadonlyMap<string, DevicePresence> {
  const changed = new Map(devices)
  if (device) changed.set(deviceId, device)
  else changed.delete(deviceId)
  return changed
}

const isBusy = (presence: Presence | undefined): boolean => presence === 'busy' || presence === 'org.matrix.msc3026.busy'

/** Which of several devices counts: any that is busy, else any that is in use (G-88). */
const rank = (presence: Presence): number => (isBusy(presence) ? 3 : presence === 'online' ? 2 : presence === 'unavailable' ? 1 : 0)

/** What is so now: devices that are gone or idle no longer count. Tells others when they would see a difference. */
function settle(userId: UserId, before: UserPresence, wanted: UserPresence, now: number): Decision<never, PresenceNote, Effect, void> {
  const idleMs = wanted.timers?.idleMs ?? Infinity
  const devices = new Map([...wanted.devices].filter(([, { untilTs }]) => untilTs > now))
  const shown = [...devices.values()]
    .map(({ presence, activeTs }): Presence => (presence === 'online' && activeTs + idleMs <= now ? 'unavailable' : presence))
    .reduce<Presence>((best, presence) => (rank(presence) > rank(best) ? presence : best), 'offline')
  const due = dueAfter(devices, idleMs, now)
  const needsTimer = due !== undefined && (wanted.dueTs === null || due < wanted.dueTs)
  const presence: UserPresence = { ...wanted, devices, shown, dueTs: needsTimer ? due : wanted.dueTs }
  return {
    notes: [{ kind: 'presenceChanged', presence }],
    effects: [
      ...(isNews(before, presence, now) ? [ringOf(userId, presence)] : []),
      ...(needsTimer ? [after(due - now + 1, { kind: 'presenceDue' })] : []),
    ],
    reply: undefined,
  }
}

function dueAfter(devices: ReadonlyMap<string, DevicePresence>, idleMs: number, now: number): number | undefined {
  const times = [...devices.values()].flatMap(({ presence, activeTs, untilTs }) =>
    (presence === 'online' && activeTs + idleMs > now && idleMs < Infinity ? [untilTs, activeTs + idleMs] : [untilTs]))
  return times.length === 0 ? undefined : Math.min(...times)
}

/** Others count the time since the last activity themselves; they need to be told of the first after a pause. */
function isNews(before: UserPresence, { shown, statusMsg, lastActiveTs, timers }: UserPresence, now: number): boolean {
  if (before.shown !== shown || before.statusMsg !== statusMsg) return true
  const wasActive = before.lastActiveTs !== null && now - before.lastActiveTs < (timers?.activeMs ?? 0)
  return shown === 'online' && !wasActive && lastActiveTs === now
}

const ringOf = (userId: UserId, { shown, statusMsg, lastActiveTs }: UserPresence): Effect => {
  const volatile: ShownPresence = { presence: shown, statusMsg, lastActiveTs }
  return { kind: 'ring', about: 'presence', users: [userId], volatile }
}
