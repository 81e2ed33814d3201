import type { Database } from 'bun:sqlite'

/** Free pages that stay in the file for what comes next: 4 MB. */
export const KEPT_FREE_PAGES = 1_024
/** Pages given back at once; a batch that comes meanwhile waits a few milliseconds for it. */
export const VACUUM_SLICE_PAGES = 128

/** Gives free pages at the end of the file back to the disk, a few at a time. True when there is more to give. */
export function vacuumSlice(db: Database): boolean {
  const free = db.query<{ freelist_count: number }, []>('PRAGMA freelist_count').get()?.freelist_count ?? 0
  const surplus = free - KEPT_FREE_PAGES
  if (surplus <= 0) return false
  db.run(`PRAGMA incremental_vacuum(${Math.min(surplus, VACUUM_SLICE_PAGES)})`)
  return surplus > VACUUM_SLICE_PAGES
}
