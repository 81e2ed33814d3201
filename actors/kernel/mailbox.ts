/** A first-in first-out queue that refuses when full and holds no memory when empty. */
export class Mailbox<T> {
  #items: T[] | undefined
  #head = 0

  get size(): number {
    return this.#items ? this.#items.length - this.#head : 0
  }

  /** False when `limit` items wait already; the item is then not taken. */
  push(item: T, limit: number): boolean {
    if (this.size >= limit) return false
    if (this.#items) this.#items.push(item)
    else this.#items = [item]
    return true
  }

  shift(): T | undefined {
    if (!this.#items) return undefined
    const item = this.#items[this.#head++]
    if (this.#head === this.#items.length) {
      this.#items = undefined
      this.#head = 0
    } else if (this.#head > 256 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  drain(): T[] {
    const rest = this.#items ? this.#items.slice(this.#head) : []
    this.#items = undefined
    this.#head = 0
    return rest
  }
}
