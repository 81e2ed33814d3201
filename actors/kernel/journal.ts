import type { Kinded } from './actor.ts'

/** One fact on its way to the disk. `position` was given by the kernel: without gaps, in order of decision. */
export type JournalRow = Readonly<{ position: number; actor: string; cause: string; ts: number; fact: Kinded }>

/** An actor's memory at `position`, frozen; only ever a cache of what a replay would give. */
export type Snapshot = Readonly<{ actor: string; version: number; position: number; frozen: unknown }>

/** A snapshot may see the rows beside it. Of two snapshots of one actor the later one counts. */
export type Batch = Readonly<{ rows: readonly JournalRow[]; snapshots: readonly Snapshot[] }>

/**
 * How a batch becomes durable. SQLite is the embedded driver; nothing else may know.
 * `append` settles in the order of its calls; a rejection means that nothing of the batch was kept.
 * It copies what it needs before it returns: a frozen memory may share parts with the living one.
 */
export interface Journal {
  /** The last position that is on disk; it moves before `append` resolves. */
  readonly position: number
  append(batch: Batch): Promise<void>
  snapshotOf(actor: string): Snapshot | undefined
  /** Facts of one actor after `position`, oldest first. Only committed ones. */
  factsOf(actor: string, position: number): Iterable<{ position: number; fact: Kinded }>
  close(): Promise<void>
}
