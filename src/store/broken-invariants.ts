import type { Store } from './store.ts'

/** What must never happen. A check that sees it all the same counts it; the number goes into the metrics. */
export const INVARIANTS = [
  'one-time key handed out twice',
  'to-device message delivered after its acknowledgement',
] as const
export type Invariant = (typeof INVARIANTS)[number]

/** Cases that readers have met since the store was opened: who only reads cannot write them down. */
const seen = new WeakMap<Store['names'], Map<Invariant, number>>()

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
export function noteBrokenInvariant({ names }: Store, name: Invariant): void {
  const counts = seen.get(names) ?? new Map<Invariant, number>()
  seen.set(names, counts.set(name, (counts.get(name) ?? 0) + 1))
}

/** How often each was broken: as written down, plus what readers have met. All zeros when all is well. */
export function countBrokenInvariants({ db, names }: Store): ReadonlyMap<Invariant, number> {
  const rows = db.query<{ name: string; count: number }, []>('SELECT name, count FROM broken_invariants').all()
  const written = new Map(rows.map(({ name, count }) => [name, count]))
  return new Map(INVARIANTS.map((name) => [name, (written.get(name) ?? 0) + (seen.get(names)?.get(name) ?? 0)]))
}
