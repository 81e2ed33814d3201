import type { Ring } from '#actors/effects.ts'
import { presenceBoard, type ShownPresence } from '#core/presence-board.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'

/** How long a user who has stopped syncing is still kept track of. */
export const FORGET_WATCH_AFTER_MS = 10 * 60_000

/** Moves of rooms that are remembered in their order. */
const REMEMBERED_MOVES = 4_096

/** Presence does not wake a room in which more than so many wait; they are told with their next answer. */
export const PRESENCE_WAKES = 100

/** What a sync has seen: the journal up to `position`, the volatile board up to `volatile`. */
export type Seen = Readonly<{ position: number; volatile: number }>

type Waiter = { wake: () => void }

/** A user who syncs: which rooms concern them, and when something last moved for them. */
export type Watch = {
  readonly userId: UserId
  rooms: ReadonlySet<RoomId>
  /** The memberships have changed since `rooms` was read. */
  isStale: boolean
  position: number
  volatile: number
  /** What is kept here is known from this position on. */
  readonly from: number
  /** The newest position at which each sort of thing moved for this user in particular. */
  readonly moved: Map<Ring, number>
  touchedAt: number
  readonly waiters: Set<Waiter>
}

export type Typing = Readonly<{ userIds: readonly UserId[]; volatile: number }>

type Move = Seen & Readonly<{ room: RoomId }>
type RoomMoves = { position: number; readonly by: Map<Ring, number> }

/**
 * Who is waiting on /sync, and the ring that wakes them. A ring names the room and the position, not its members:
 * only users who sync are known here, so a room of ten thousand costs what its waiting members cost (D27).
 */
export class Notifier {
  readonly #watches = new Map<UserId, Watch>()
  readonly #watchers = new Map<RoomId, Set<Watch>>()
  /** The newest positions at which each room moved, since `floor`, in all and by what it was. */
  readonly #moved = new Map<RoomId, RoomMoves>()
  /** The same moves in their order, the newest of them. */
  #moves: Move[] = []
  readonly #typing = new Map<RoomId, Typing>()
  /** Who is online. */
  readonly presence = presenceBoard()
  #volatile = 0
  #isStopping = false
  #position: number

  constructor(
    /** Rooms that moved at or before this position are not on the board. */
    readonly floor: number,
    private readonly roomsOf: (userId: UserId) => Iterable<RoomId>,
    private readonly now: () => number,
  ) {
    this.#position = floor
  }

  /** What a sync that answers now has seen. */
  get seen(): Seen {
    return { position: this.#position, volatile: this.#volatile }
  }

  /** Called for every turn that wrote something, after it is on disk. */
  advance(position: number): void {
    if (position > this.#position) this.#position = position
  }

  ringRoom(room: RoomId, about: Ring, position: number): void {
    this.advance(position)
    const moves = this.#moved.get(room) ?? { position: 0, by: new Map<Ring, number>() }
    moves.position = position
    moves.by.set(about, position)
    this.#moved.set(room, moves)
    this.#remember({ room, position, volatile: this.#volatile })
    for (const watch of this.#watchers.get(room) ?? []) this.#touch(watch, position)
  }

  ringUser(userId: UserId, about: Ring, position: number): void {
    this.advance(position)
    const watch = this.#watches.get(userId)
    if (!watch) return
    if (about === 'membership') watch.isStale = true
    watch.moved.set(about, position)
    this.#touch(watch, position)
  }

  /** Wakes the user and everyone in these rooms, who encrypt for them or show them; no room has moved by it. */
  ringSharers(userId: UserId, { about, rooms }: Readonly<{ about: 'device-lists' | 'profile'; rooms: Iterable<RoomId> }>, position: number): void {
    this.ringUser(userId, about, position)
    const sharers = new Set<Watch>()
    for (const room of rooms) for (const watch of this.#watchers.get(room) ?? []) sharers.add(watch)
    for (const watch of sharers) {
      watch.moved.set(about, position)
      this.#touch(watch, position)
    }
  }

  setTyping(room: RoomId, userIds: readonly UserId[]): void {
    this.#typing.set(room, { userIds, volatile: ++this.#volatile })
    this.#remember({ room, position: this.#position, volatile: this.#volatile })
    for (const watch of this.#watchers.get(room) ?? []) {
      watch.volatile = this.#volatile
      wakeAll(watch)
    }
  }

  /** Tells those who sync and share a room; the members of the rooms are not looked at. */
  setPresence(userId: UserId, shown: ShownPresence): void {
    this.presence.post(userId, shown, ++this.#volatile)
    const own = this.#watches.get(userId)
    const seeing = own ? new Set([own]) : new Set<Watch>()
    const waking = new Set(seeing)
    if (this.#watchers.size > 0) {
      for (const room of own && !own.isStale ? own.rooms : this.roomsOf(userId)) {
        const watchers = this.#watchers.get(room)
        for (const watch of watchers ?? []) {
          seeing.add(watch)
          if (watchers && watchers.size <= PRESENCE_WAKES) waking.add(watch)
        }
      }
    }
    for (const watch of seeing) watch.volatile = this.#volatile
    for (const watch of waking) wakeAll(watch)
  }

  /** Whether someone is in a room with the user who syncs, other than those left out. */
  sharesRoom(watch: Watch, userId: UserId, except: ReadonlySet<string>): boolean {
    const other = this.#watches.get(userId)
    for (const room of other && !other.isStale ? other.rooms : this.roomsOf(userId)) if (watch.rooms.has(room) && !except.has(room)) return true
    return false
  }

  /** Whether a user who syncs is in the room; of others it is looked up. */
  isIn(userId: UserId, room: RoomId): boolean {
    const watch = this.#watches.get(userId)
    return watch && !watch.isStale ? watch.rooms.has(room) : [...this.roomsOf(userId)].includes(room)
  }

  typingIn(room: RoomId): Typing | undefined {
    return this.#typing.get(room)
  }

  /** The newest position at which the room moved; undefined if that was at or before `floor`. */
  movedAt(room: RoomId): number | undefined {
    return this.#moved.get(room)?.position
  }

  /**
   * The rooms on a watch in which anything moved after `since`. Looks at what has happened and not at what there is, so
   * that an account in thousands of rooms pays for those that speak (D27).
   */
  movedRooms(watch: Watch, since: Seen): RoomId[] {
    const found = new Set<RoomId>()
    for (let at = this.#moves.length - 1; at >= 0; at--) {
      const move = this.#moves[at]
      if (!move || (move.position <= since.position && move.volatile <= since.volatile)) return [...found]
      if (this.#moves.length - at > watch.rooms.size) break
      if (watch.rooms.has(move.room)) found.add(move.room)
    }
    if (this.#moves.length < REMEMBERED_MOVES && this.#moves.length <= watch.rooms.size) return [...found]
    return [...watch.rooms].filter((room) =>
      (this.#moved.get(room)?.position ?? 0) > since.position || (this.#typing.get(room)?.volatile ?? 0) > since.volatile)
  }

  /** False when nothing of that sort has happened in the room after `since`; true where that is not known. */
  mayHaveMoved(room: RoomId, about: Ring, since: number): boolean {
    return since < this.floor || (this.#moved.get(room)?.by.get(about) ?? 0) > since
  }

  /** The same for what concerns one user alone: account data, own memberships, messages to devices. */
  mayConcern(watch: Watch, about: Ring, since: number): boolean {
    return since < watch.from || (watch.moved.get(about) ?? 0) > since
  }

  /** Starts or goes on watching for a user who syncs. */
  watch(userId: UserId): Watch {
    const known = this.#watches.get(userId)
    const watch = known ?? this.#newWatch(userId)
    watch.touchedAt = this.now()
    if (watch.isStale) this.#readRooms(watch)
    return watch
  }

  hasNews(watch: Watch, since: Seen): boolean {
    return watch.position > since.position || watch.volatile > since.volatile
  }

  /** Resolves when something moves for the user after `since`, at the deadline, or when the client goes away. */
  wait(watch: Watch, since: Seen, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#isStopping || this.hasNews(watch, since) || timeoutMs <= 0 || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        watch.waiters.delete(waiter)
        watch.touchedAt = this.now()
        resolve()
      }
      const waiter: Waiter = { wake: done }
      const timer = setTimeout(done, timeoutMs)
      signal.addEventListener('abort', done)
      watch.waiters.add(waiter)
    })
  }

  /** Nobody waits any more: whoever asks is answered with what there is. */
  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Lets everyone who waits answer now: the server stops. */
  wakeEveryone(): void {
    this.#isStopping = true
    // Nobody would ever say that they have stopped: the next process does not know of them.
    for (const [room, { userIds }] of this.#typing) if (userIds.length > 0) this.setTyping(room, [])
    for (const watch of this.#watches.values()) wakeAll(watch)
  }

  /** Forgets users who have stopped syncing. */
  sweep(): void {
    for (const userId of this.presence.expired(this.now())) this.setPresence(userId, { presence: 'offline', statusMsg: null, lastActiveTs: null })
    const before = this.now() - FORGET_WATCH_AFTER_MS
    for (const watch of this.#watches.values()) {
      if (watch.waiters.size > 0 || watch.touchedAt > before) continue
      this.#watches.delete(watch.userId)
      this.#leaveRooms(watch)
    }
  }

  #newWatch(userId: UserId): Watch {
    const { position, volatile } = this.seen
    const watch: Watch = {
      userId,
      rooms: new Set(),
      isStale: true,
      position,
      volatile,
      from: position,
      moved: new Map(),
      touchedAt: this.now(),
      waiters: new Set(),
    }
    this.#watches.set(userId, watch)
    return watch
  }

  #readRooms(watch: Watch): void {
    this.#leaveRooms(watch)
    watch.isStale = false
    watch.rooms = new Set(this.roomsOf(watch.userId))
    for (const room of watch.rooms) {
      const watchers = this.#watchers.get(room)
      if (watchers) watchers.add(watch)
      else this.#watchers.set(room, new Set([watch]))
    }
  }

  #leaveRooms(watch: Watch): void {
    for (const room of watch.rooms) {
      const watchers = this.#watchers.get(room)
      watchers?.delete(watch)
      if (watchers?.size === 0) this.#watchers.delete(room)
    }
  }

  #remember(move: Move): void {
    this.#moves.push(move)
    if (this.#moves.length > 2 * REMEMBERED_MOVES) this.#moves = this.#moves.slice(-REMEMBERED_MOVES)
  }

  #touch(watch: Watch, position: number): void {
    watch.position = Math.max(watch.position, position)
    wakeAll(watch)
  }
}

function wakeAll(watch: Watch): void {
  for (const waiter of [...watch.waiters]) waiter.wake()
}
