import type { Database } from 'bun:sqlite'
import { Names } from './names.ts'
import { type Audiences, noAudiences } from './push-audience.ts'

/**
 * A connection with the names it has learned: what every query and every projector is handed first. The one that writes
 * also remembers who reads in which room, so that push rules are weighed without asking the tables.
 */
export type Store = Readonly<{ db: Database; names: Names; audiences: Audiences }>

export const storeOn = (db: Database): Store => ({ db, names: new Names(db), audiences: noAudiences() })

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
