import type { Kinded } from '#actors/kernel/actor.ts'
import type { Batch, Journal, JournalRow } from '#actors/kernel/journal.ts'
import { pack, unpack } from 'msgpackr'

type Disk = {
  rows: { position: number; actor: string; cause: string; ts: number; fact: Uint8Array }[]
  snapshots: Map<string, { version: number; position: number; frozen: Uint8Array }>
}

/** What a batch held when it was appended: how many facts and how many snapshots. */
export type Written = Readonly<{ rows: number; snapshots: number }>

/** A journal in memory that can be slow, fail, hang or lose its power. What crosses it is msgpackr bytes. */
export type MemoryJournal = Journal & {
  /** Milliseconds that a commit takes; 0 resolves in a microtask. */
  delayMs: number
  /** While set, every append is rejected with it and keeps nothing. */
  failure: Error | undefined
  /** Called before a batch is looked at; throws or waits as a test likes. */
  before: (batch: Batch) => Promise<void> | void
  /** Every batch on disk, oldest first. */
  readonly written: Written[]
  readonly rows: JournalRow[]
  /** Commits wait until the returned function is called. */
  hold(): () => void
  dropSnapshots(): void
  /** Puts bytes in the snapshot's place that no behaviour can thaw. */
  spoilSnapshots(): void
  /** The power goes: what is being written is lost, nobody is told. Returns what the next start opens. */
  crash(): MemoryJournal
}

const copy = <T>(value: T): Uint8Array => Uint8Array.from(pack(value))

function keep(disk: Disk, batch: ReturnType<typeof frozenBatch>): void {
  for (const row of batch.rows) {
    const expected = (disk.rows.at(-1)?.position ?? 0) + 1
    if (row.position !== expected) throw new Error(`position ${row.position} came where ${expected} was due`)
    disk.rows.push(row)
  }
  for (const [actor, snapshot] of batch.snapshots) disk.snapshots.set(actor, snapshot)
}

const frozenBatch = ({ rows, snapshots }: Batch) => ({
  rows: rows.map((row) => ({ ...row, fact: copy(row.fact) })),
  snapshots: snapshots.map(({ actor, frozen, ...rest }) => [actor, { ...rest, frozen: copy(frozen) }] as const),
})

export function memoryJournal(disk: Disk = { rows: [], snapshots: new Map() }): MemoryJournal {
  let isDead = false
  let held: Promise<void> | undefined
  let last: Promise<unknown> = Promise.resolve()

  const write = async (batch: ReturnType<typeof frozenBatch>, before: Promise<void> | void): Promise<void> => {
    await before
    if (held) await held
    if (journal.delayMs > 0) await Bun.sleep(journal.delayMs)
    if (isDead) await new Promise(() => {})
    if (journal.failure) throw journal.failure
    keep(disk, batch)
    journal.written.push({ rows: batch.rows.length, snapshots: batch.snapshots.length })
  }

  const journal: MemoryJournal = {
    delayMs: 0,
    failure: undefined,
    before() {},
    written: [],
    get position() {
      return disk.rows.at(-1)?.position ?? 0
    },
    get rows() {
      return disk.rows.map((row) => ({ ...row, fact: unpack(row.fact) as Kinded }))
    },
    append(batch) {
      const before = journal.before(batch)
      const frozen = frozenBatch(batch)
      const turn = last.then(() => write(frozen, before))
      last = turn.catch(() => {})
      return turn
    },
    snapshotOf(actor) {
      const found = disk.snapshots.get(actor)
      return found && { actor, ...found, frozen: unpack(found.frozen) }
    },
    *factsOf(actor, position) {
      for (const row of disk.rows) {
        if (row.actor !== actor || row.position <= position) continue
        yield { position: row.position, fact: unpack(row.fact) as Kinded }
      }
    },
    async close() {},
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return () => {
        held = undefined
        resolve()
      }
    },
    dropSnapshots: () => disk.snapshots.clear(),
    spoilSnapshots() {
      for (const snapshot of disk.snapshots.values()) snapshot.frozen = copy(null)
    },
    crash() {
      isDead = true
      return memoryJournal({ rows: [...disk.rows], snapshots: new Map(disk.snapshots) })
    },
  }
  return journal
}
