import type { Database } from 'bun:sqlite'

/** Names that one process keeps at hand, in each direction. */
const CACHED_NAMES = 100_000

/**
 * The numbers that stand for text in hot tables. A name's number never changes, so caching needs no invalidation;
 * a transaction that is rolled back must `forget` what it has made.
 */
export class Names {
  readonly #numbers = new Map<string, number>()
  readonly #texts = new Map<number, string>()

  constructor(private readonly db: Database) {}

  /** The number of a name that has one. */
  find(name: string): number | undefined {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const row = this.db.query<{ num: number }, [string]>('SELECT num FROM names WHERE name = ?').get(name)
    return row ? this.#keep(row.num, name) : undefined
  }

  /** The number of a name, given now if it has none. Only the writing connection may ask. */
  numberOf(name: string): number {
    const known = this.find(name)
    if (known !== undefined) return known
    const { lastInsertRowid } = this.db.query('INSERT INTO names (name) VALUES (?)').run(name)
    return this.#keep(Number(lastInsertRowid), name)
  }

  /** The text behind a number that a table holds. */
  textOf(num: number): string {
    const known = this.#texts.get(num)
    if (known !== undefined) return known
    const row = this.db.query<{ name: string }, [number]>('SELECT name FROM names WHERE num = ?').get(num)
    if (!row) throw new Error(`the database mentions name ${num}, which does not exist`)
    this.#keep(num, row.name)
    return row.name
  }

  forget(): void {
    this.#numbers.clear()
    this.#texts.clear()
  }

  #keep(num: number, name: string): number {
    if (this.#numbers.size >= CACHED_NAMES) this.forget()
    this.#numbers.set(name, num)
    this.#texts.set(num, name)
    return num
  }
}
