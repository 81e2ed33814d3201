import type { Kinded } from '#actors/kernel/actor.ts'
import type { Journal, Snapshot } from '#actors/kernel/journal.ts'
import { pack, unpack } from 'msgpackr'
import { lastPosition } from './lineage.ts'
import { projections } from './projections.ts'
import { asMatrixError } from './sqlite-errors.ts'
import type { Store } from './store.ts'
import { type WireBatch, wireBatch, type WireSnapshot, writeBatch } from './write-batch.ts'

/** Makes batches durable, one after the other; `write` settles when its batch is on disk, or will never be. */
export type Writer = Readonly<{
  write(batch: WireBatch): Promise<void>
  close(): Promise<void>
}>

/** Writes on the calling thread: for `:memory:` databases, tests and commands that work on a stopped server. */
export const inlineWriter = (store: Store): Writer => ({
  write: async (batch) => writeBatch(store, batch),
  async close() {},
})

/** The kernel's journal on SQLite: `reader` answers questions, `writer` makes batches durable. */
export function sqliteJournal(reader: Store, writer: Writer): Journal {
  let position = lastPosition(reader.db)
  return {
    get position() {
      return position
    },
    async append({ rows, snapshots }) {
      try {
        await writer.write(wireBatch(rows, snapshots.map(wireSnapshot)))
      } catch (error) {
        // A writer that died between writing and saying so has kept the batch: what is on disk decides.
        position = lastPosition(reader.db)
        throw asMatrixError(error)
      }
      position = rows.at(-1)?.position ?? position
    },
    snapshotOf: (actor) => findSnapshot(reader, actor),
    factsOf: (actor, after) => factsAfter(reader, actor, after),
    close: () => writer.close(),
  }
}

const wireSnapshot = ({ frozen, ...rest }: Snapshot): WireSnapshot => ({ ...rest, frozen: pack(frozen) })

function findSnapshot({ db, names }: Store, actor: string): Snapshot | undefined {
  const num = names.find(actor)
  if (num === undefined) return undefined
  const row = db
    .query<{ version: number; position: number; frozen: Uint8Array }, [number]>(
      'SELECT version, position, frozen FROM snapshots WHERE actor = ?',
    )
    .get(num)
  return row ? { actor, version: row.version, position: row.position, frozen: unpack(row.frozen) } : undefined
}

type FactRow = { position: number; kind: number; fact: Uint8Array | null }

// Facts that lie in `events` are not in the journal's index; the table's own finds them, under the room.
const FACTS = `
  SELECT position, kind, fact FROM journal WHERE actor = ?1 AND position > ?2 AND fact IS NOT NULL
   UNION ALL
  SELECT j.position, j.kind, NULL FROM events e CROSS JOIN journal j ON j.position = e.position
   WHERE e.room = ?3 AND e.position > ?2 AND j.actor = ?1 AND j.fact IS NULL
   UNION ALL
  SELECT j.position, j.kind, NULL FROM expired_events e CROSS JOIN journal j ON j.position = e.num
   WHERE e.room = ?3 AND e.num > ?2 AND j.actor = ?1 AND j.fact IS NULL
   ORDER BY position`

function* factsAfter(store: Store, actor: string, after: number): Generator<{ position: number; fact: Kinded }> {
  const num = store.names.find(actor)
  if (num === undefined) return
  const actorId = actor.slice(actor.indexOf('/') + 1)
  const rows = store.db.query<FactRow, [number, number, number]>(FACTS).all(num, after, store.names.find(actorId) ?? -1)
  for (const { position, kind, fact } of rows) yield { position, fact: readFact(store, position, kind, fact, actorId) }
}

function readFact(store: Store, position: number, kind: number, fact: Uint8Array | null, actorId: string): Kinded {
  if (fact && fact.length > 0) return unpack(fact) as Kinded
  const hydrate = projections[store.names.textOf(kind)]?.hydrate
  if (!hydrate) throw new Error(`the journal holds no fact at position ${position}`)
  return hydrate(store, position, actorId)
}
