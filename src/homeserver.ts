import { mkdirSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { aliasAt, deviceAt, registrationAt, roomAt, userAt } from '#actors/addresses.ts'
import { alias } from '#actors/alias/alias.ts'
import type { AliasCommand } from '#actors/alias/alias.ts'
import { device, type DeviceCommand } from '#actors/device/device.ts'
import type { Effect } from '#actors/effects.ts'
import type { AnyBehaviour, Ref } from '#actors/kernel/actor.ts'
import { type Clock, systemClock } from '#actors/kernel/clock.ts'
import { type From, System } from '#actors/kernel/system.ts'
import { registration, type RegistrationCommand } from '#actors/registration/registration.ts'
import { room, type RoomCommand } from '#actors/room/room.ts'
import { user, type UserCommand } from '#actors/user/user.ts'
import type { World } from '#actors/world.ts'
import type { Config } from '#config'
import { signingKeyFromSeed } from '#core/signing.ts'
import type { ShownPresence } from '#core/presence-board.ts'
import { Notifier } from '#notifier'
import type { DeviceId, RoomAlias, RoomId, ServerName, UserId } from '#schema/identifiers.ts'
import { listRoomsWithDelayedEvents } from '#store/delayed-events.ts'
import { listDevicesWithKeys } from '#store/device-keys.ts'
import { eventsAtHand } from '#store/events-at-hand.ts'
import { sqliteJournal } from '#store/journal.ts'
import { listRoomsInSightOf, listRoomsOf } from '#store/memberships.ts'
import type { Session } from '#store/access-tokens.ts'
import { inboxCache, type InboxCache } from '#store/inbox-cache.ts'
import { openStore } from '#store/open-store.ts'
import type { StoreHealth, StoreReport } from '#store/report.ts'
import { sessionCache } from '#store/session-cache.ts'
import { openSearcher, type Searcher } from '#store/searcher.ts'
import type { Store } from '#store/store.ts'
import { toldJournal } from '#store/told-journal.ts'
import { openSigningKeys } from './config/signing-key.ts'
import { chores } from './errands/housekeeping.ts'

const SWEEP_EVERY_MS = 60_000
/** How often it is written down how far clients may have seen. */
const MARK_EVERY_MS = 5_000
/** Devices that are told of a restore at once. */
const TOLD_AT_ONCE = 500

/**
 * The wiring: doors to the actors, the store, and the six effects performed. The only thing that knows everyone.
 */
export type Homeserver = Readonly<{
  config: Config
  serverName: ServerName
  clock: Clock
  log: Logger
  /** For questions; nobody writes through it. */
  store: Store
  /** Absent where `enable_search` is off. */
  searcher: Searcher | undefined
  /** What is wrong with the database now: a full disk, damaged places. */
  storeHealth: () => StoreHealth
  /** Whose access token this is. */
  session: (token: string) => Session | undefined
  /** What a sync answer says about its device. */
  inbox: InboxCache['find']
  notifier: Notifier
  world: World
  /** Names this run of the process in tokens for what a restart forgets. */
  bootId: string
  /** An id for what one request sets off; sent back as `x-request-id`, never taken from a client. */
  mintCause: () => string
  /** 32 fresh URL-safe characters. */
  nonce: () => string
  room: (roomId: RoomId) => Ref<RoomCommand>
  user: (userId: UserId) => Ref<UserCommand>
  device: (userId: UserId, deviceId: DeviceId) => Ref<DeviceCommand>
  alias: (alias: RoomAlias) => Ref<AliasCommand>
  registration: Ref<RegistrationCommand>
  system: System<World, Effect>
  /** Resolves when no mail waits and everything decided is on disk. */
  settled: () => Promise<void>
  /** Drains: takes nothing new, finishes what waits, writes it, closes the database. */
  close: () => Promise<void>
}>

const nonce = (): string => randomBytes(24).toString('base64url')

/** Opens the database and starts the actors; nothing listens yet. */
export async function openHomeserver(config: Config, log: Logger, clock: Clock = systemClock): Promise<Homeserver> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const [key] = openSigningKeys(config.signingKeyPath, config.database.path)
  const opened = await openStore(config.database.path, config.database.synchronous, {
    serverName: config.serverName,
    report: (report) => logReport(log, report),
  })
  const store = opened.reader
  const sessions = sessionCache(store)
  const events = eventsAtHand(store)
  const inboxes = inboxCache(store)
  const searcher = config.enableSearch ? openSearcher(store, config.database.path) : undefined
  const journal = toldJournal(sqliteJournal(store, opened.writer), [sessions, inboxes, events, ...(searcher ? [searcher] : [])])
  const world: World = {
    serverName: config.serverName,
    signingKey: signingKeyFromSeed(key.keyId, key.seed),
    messagesSelfDestruct: config.enableEphemeralMessages,
    event: events.find,
  }
  const bootId = clock.now().toString(36)
  const notifier = new Notifier(journal.position, (userId) => watchedRooms(store, userId), clock.now)
  const system: System<World, Effect> = new System({
    journal,
    clock,
    world,
    nonce,
    decided: events.decided,
    behaviours: [room, user, device, alias, registration] as unknown as AnyBehaviour<Effect>[],
    perform: (effect, from) => perform({ system, notifier, store }, effect, from),
    crashed: (actor, command, error) => log.error({ actor, command, err: error }, 'an actor has failed'),
    ...(log.isLevelEnabled('debug') ? { reportTurn: (report) => log.debug(report) } : {}),
  })
  for (const roomId of listRoomsWithDelayedEvents(store))
    system.tell(roomAt(roomId), { kind: 'armDelayedEvents' }, `${bootId}-start`)
  if (opened.lineage.isRestored) {
    log.warn('this database is not the one that was served last from here: a backup was put back, or it was moved. All devices start over with their one-time keys')
    await tellOfRestore(system, store, `${bootId}-start`)
    opened.lineage.confirm()
  }
  const sweep = setInterval(() => notifier.sweep(), SWEEP_EVERY_MS)
  const marking = setInterval(() => opened.lineage.note(journal.position), MARK_EVERY_MS)
  const mintCause = causes(bootId)
  const stopsOfChores = chores(config).map(({ everyMs, letters }) => every(clock, everyMs, () => {
    try {
      for (const { to, command } of letters({ store, config, now: clock.now() })) system.tell(to, command, mintCause())
    } catch (error) {
      log.error({ err: error }, 'the housekeeping has failed')
    }
  }))
  return {
    config,
    serverName: config.serverName,
    clock,
    log,
    store,
    searcher,
    storeHealth: opened.health,
    session: sessions.find,
    inbox: inboxes.find,
    notifier,
    world,
    bootId,
    mintCause,
    nonce,
    room: (roomId) => system.ref(roomAt(roomId)),
    user: (userId) => system.ref(userAt(userId)),
    device: (userId, deviceId) => system.ref(deviceAt(userId, deviceId)),
    alias: (name) => system.ref(aliasAt(name)),
    registration: system.ref(registrationAt()),
    system,
    settled: () => system.settled(),
    async close() {
      clearInterval(sweep)
      for (const stop of stopsOfChores) stop()
      clearInterval(marking)
      notifier.wakeEveryone()
      await system.stop()
      opened.lineage.note(journal.position)
      await searcher?.close()
      await opened.close()
    },
  }
}

/** Does something again and again until the returned function calls it off. */
function every(clock: Clock, ms: number, task: () => void): () => void {
  let stop = clock.after(ms, again)
  function again(): void {
    stop = clock.after(ms, again)
    task()
  }
  return () => stop()
}

/** The rooms whose rings concern a user's sync. */
function* watchedRooms(store: Store, userId: UserId): Generator<RoomId> {
  yield* listRoomsOf(store, userId, 'join')
}

/** Before anyone can claim a key: what clients have been given since the backup must not be given again. */
async function tellOfRestore(system: System<World, Effect>, store: Store, cause: string): Promise<void> {
  const devices = listDevicesWithKeys(store)
  for (let at = 0; at < devices.length; at += TOLD_AT_ONCE) {
    const some = devices.slice(at, at + TOLD_AT_ONCE)
    await Promise.all(some.map(({ userId, deviceId }) => system.ref(deviceAt(userId, deviceId)).ask({ kind: 'noticeRestore' }, cause)))
  }
}

/** Short, unique over restarts, and in the order of the requests. */
function causes(bootId: string): () => string {
  let count = 0
  return () => `${bootId}-${(++count).toString(36)}`
}

/** What the store has to say: good news is for the curious, the rest for whoever reads the log. */
function logReport(log: Logger, report: StoreReport): void {
  const isGood = report.kind === 'copied' || report.kind === 'migrated' || report.kind === 'diskFreed' ||
    (report.kind === 'checked' && report.problems.length === 0)
  log[isGood ? 'info' : 'error'](report, 'the store')
}

type Performing = Readonly<{ system: System<World, Effect>; notifier: Notifier; store: Store }>

/** The six effects, each performed in this one place, after the facts are on disk. */
function perform({ system, notifier, store }: Performing, effect: Effect, from: From): void {
  switch (effect.kind) {
    case 'tell':
      return system.tell(effect.to, effect.command, from.cause)
    case 'after':
      return system.after(effect.ms, from, effect.command, from.cause)
    case 'answer':
      return system.answer(effect.to, effect.reply)
    case 'rest':
      return system.rest(from)
    case 'ring':
      return ring(notifier, store, effect, from.position)
    case 'errand':
      throw new Error(`no errand is called ${effect.errand}`)
  }
}

function ring(notifier: Notifier, store: Store, effect: Extract<Effect, { kind: 'ring' }>, position: number): void {
  if (effect.room && effect.about === 'typing') notifier.setTyping(effect.room, effect.volatile as UserId[])
  else if (effect.room) notifier.ringRoom(effect.room, effect.about, position)
  for (const userId of effect.users ?? []) {
    if (effect.about === 'presence') notifier.setPresence(userId, effect.volatile as ShownPresence)
    else if (effect.about === 'device-lists' || effect.about === 'profile')
      notifier.ringSharers(userId, { about: effect.about, rooms: listRoomsInSightOf(store, userId) }, position)
    else notifier.ringUser(userId, effect.about, position)
  }
}
