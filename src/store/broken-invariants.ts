import type { Store } from './store.ts'

/** What must never happen. A check that sees it all the same counts it; the number goes into the metrics. */
export type Invariant = 'one-time key handed out twice' | 'to-device message delivered after its acknowledgement'

/** Cases that readers have met since the start of the process: who only reads cannot write them down. */
const seen = new Map<Invariant, number>()

/** For projectors, who count in the transaction in which it would happen. */
export function projectBrokenInvariant({ db }: Store, name: Invariant, position: number): void {
  db.query(
    `
    INSERT INTO broken_invariants (name, count, position) VALUES (?1, 1, ?2)
    ON CONFLICT (name) DO UPDATE SET count = count + 1, position = ?2
  `,
  ).run(name, position)
}

/** For readers. */
export const noteBrokenInvariant = (name: Invariant): void => void seen.set(name, (seen.get(name) ?? 0) + 1)

/** How often each was broken: as written down, plus what readers have met since the start. Empty when all is well. */
export function countBrokenInvariants({ db }: Store): ReadonlyMap<string, number> {
  const rows = db.query<{ name: string; count: number }, []>('SELECT name, count FROM broken_invariants').all()
  const counts = new Map<string, number>(seen)
  for (const { name, count } of rows) counts.set(name, (counts.get(name) ?? 0) + count)
  return counts
}
