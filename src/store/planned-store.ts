import type { Database, Statement } from 'bun:sqlite'
import type { Store } from './store.ts'

/** Statements kept ready; Bun keeps the first twenty of a connection and prepares every other one each time it is asked. */
const KEPT_STATEMENTS = 500

const planned = new WeakMap<Store, Store>()

/**
 * The same store for reading, with statements that are prepared once. SQLite plans a statement anew whenever a value
 * changes that stands alone on one side of a comparison, which costs ten times what the question itself does; behind a
 * plus sign, which changes nothing else, values do not count for the plan.
 */
export function plannedStore(store: Store): Store {
  const known = planned.get(store)
  if (known) return known
  const statements = new Map<string, Statement>()
  const query = (sql: string): Statement => {
    const ready = statements.get(sql)
    if (ready) return ready
    const statement = store.db.prepare(sheltered(sql))
    if (statements.size >= KEPT_STATEMENTS) statements.clear()
    statements.set(sql, statement)
    return statement
  }
  const db = Object.assign(Object.create(store.db) as Database, { query: query as Database['query'] })
  const quick: Store = { ...store, db }
  planned.set(store, quick)
  return quick
}

const PLUS = '+'

/** Every parameter with a plus in front; text in quotes is left alone. */
export const sheltered = (sql: string): string =>
  sql.replace(/'[^']*'|[+]?[?]/g, (match) => (match === '?' ? `${PLUS}?` : match))

/**
 * Runs questions that belong together in one transaction: they see the same moment, and SQLite takes its lock once and not
 * for each of them.
 */
export function readTogether<Answer>({ db }: Store, read: () => Answer): Answer {
  db.query('BEGIN').run()
  try {
    return read()
  } finally {
    db.query('COMMIT').run()
  }
}
