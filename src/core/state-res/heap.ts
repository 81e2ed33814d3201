/** A queue that hands out its least item first. */
export type Heap<Item> = Readonly<{
  push: (item: Item) => void
  /** Takes the least item out. */
  pop: () => Item | undefined
  peek: () => Item | undefined
}>

/** A binary heap; `compare` is negative when the first comes before the second. */
export function createHeap<Item>(compare: (one: Item, other: Item) => number): Heap<Item> {
  const items: Item[] = []
  const swapIfLess = (at: number, other: number): boolean => {
    const [one, two] = [items[at], items[other]]
    if (one === undefined || two === undefined || compare(one, two) >= 0) return false
    items[at] = two
    items[other] = one
    return true
  }
  const rise = (start: number) => {
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!swapIfLess(at, parent)) return
      at = parent
    }
  }
  const sink = () => {
    let at = 0
    while (at < items.length) {
      const least = leastChild(items, at, compare)
      if (least === undefined || !swapIfLess(least, at)) return
      at = least
    }
  }
  return {
    push: (item) => {
      items.push(item)
      rise(items.length - 1)
    },
    pop: () => {
      const [least] = items
      const last = items.pop()
      if (items.length > 0 && last !== undefined) {
        items[0] = last
        sink()
      }
      return least
    },
    peek: () => items[0],
  }
}

const leastChild = <Item>(
  items: readonly Item[],
  at: number,
  compare: (one: Item, other: Item) => number,
): number | undefined => {
  const [left, right] = [2 * at + 1, 2 * at + 2]
  const [one, other] = [items[left], items[right]]
  if (one === undefined) return undefined
  return other !== undefined && compare(other, one) < 0 ? right : left
}
