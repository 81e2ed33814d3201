import { Database } from 'bun:sqlite'
import { statSync } from 'node:fs'

import { ConfigError } from '#config'

/** Refuses to open a database that another program made: Synapse's lies under the same option. Throws ConfigError. */
export function checkForeignDatabase(path: string): void {
  // SQLite drops the log beside an empty file as soon as it opens it, and the log may be all that is left.
  if (path === ':memory:' || (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return
  if (!isSynapses(path)) return
  throw new ConfigError([
    `${path} is the database of a Synapse. It is left as it is.`,
    'Give this server a file of its own: database: {name: sqlite3, args: {database: /path/of/warren.db}}',
  ])
}

function isSynapses(path: string): boolean {
  const database = new Database(path, { readonly: true })
  try {
    const tables = database.query(`SELECT name FROM sqlite_master WHERE name = 'applied_schema_deltas'`).all()
    return tables.length > 0
  } catch {
    // Whatever it is, the store says it better.
    return false
  } finally {
    database.close()
  }
}
