import type { JsonObject } from '#schema/pdu.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { FilterDefined, FilterDropped } from '#schema/journal/user.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

export const projectFilterDefined: Project<FilterDefined> = ({ db, names }, { userId, filterId, filter }) => {
  db.query('INSERT OR REPLACE INTO filters (user, filter_id, filter) VALUES (?, ?, ?)')
    .run(names.numberOf(userId), filterId, JSON.stringify(filter))
}

export const projectFilterDropped: Project<FilterDropped> = ({ db, names }, { userId, filterId }) => {
  db.query('DELETE FROM filters WHERE user = ? AND filter_id = ?').run(names.numberOf(userId), filterId)
}

/** A filter as its owner defined it; undefined when there is none of that id. */
export function findFilter({ db, names }: Store, userId: UserId, filterId: string): JsonObject | undefined {
  const user = names.find(userId)
  if (user === undefined) return undefined
  const row = db
    .query<{ filter: string }, [number, string]>('SELECT filter FROM filters WHERE user = ? AND filter_id = ?')
    .get(user, filterId)
  return row ? (JSON.parse(row.filter) as JsonObject) : undefined
}
