import { Database, type SQLQueryBindings } from 'bun:sqlite'

/** Statements of one connection that are kept ready; Bun would keep twenty and prepare every other one each time. */
const KEPT_STATEMENTS = 1_000
Database.MAX_QUERY_CACHE_SIZE = KEPT_STATEMENTS

/** A connection whose statements are prepared and planned once. */
export class PlannedDatabase extends Database {
  override query<ReturnType, ParamsType extends SQLQueryBindings | SQLQueryBindings[]>(sql: string) {
    return super.query<ReturnType, ParamsType>(plannedOnce(sql))
  }
}

const planned = new Map<string, string>()

function plannedOnce(sql: string): string {
  const known = planned.get(sql)
  if (known !== undefined) return known
  if (planned.size >= KEPT_STATEMENTS) planned.clear()
  const text = sheltered(sql)
  planned.set(sql, text)
  return text
}

const PLUS = '+'

/**
 * Every parameter with a plus in front; text in quotes is left alone. SQLite plans a statement anew whenever a value changes
 * that stands alone on one side of a comparison, which costs ten times what the question itself does; behind a plus sign,
 * which changes nothing else, values do not count for the plan.
 */
export const sheltered = (sql: string): string =>
  sql.replace(/'[^']*'|[+]?[?]/g, (match) => (match === '?' ? `${PLUS}?` : match))
