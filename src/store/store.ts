import type { Database } from 'bun:sqlite'
import { Names } from './names.ts'

/** A connection with the names it has learned: what every query and every projector is handed first. */
export type Store = Readonly<{ db: Database; names: Names }>

export const storeOn = (db: Database): Store => ({ db, names: new Names(db) })
