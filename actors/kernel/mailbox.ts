/** A first-in first-out queue that refuses when full and holds no memory when empty. */
export class Mailbox<T> {
  #items: (T | undefined)[] | undefined
  #head = 0

  get size(): number {
    return this.#items ? this.#items.length - this.#head : 0
  }

  /** False when `limit` items wait already; the item is then not taken. */
  push(item: T, limit: number): boolean {
    if (!this.#items) {
      if (limit < 1) return false
      this.#items = [item]
      return true
    }
    if (this.size >= limit) return false
    this.#items.push(item)
    return true
  }

  shift(): T | undefined {
    const items = this.#items
    if (!items) return undefined
    const item = items[this.#head]
    items[this.#head++] = undefined
    if (this.#head === items.length) {
      this.#items = undefined
      this.#head = 0
    } else if (this.#head > 256 && this.#head * 2 > items.length) {
      this.#items = items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  drain(): T[] {
    const rest: T[] = []
    for (let item = this.shift(); item !== undefined; item = this.shift()) rest.push(item)
    return rest
  }
}
