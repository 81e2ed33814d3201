/** A range of places in a list, both ends inclusive and counted from 0. */
export type Range = readonly [from: number, to: number]

/** The places that ranges name in a list of `count`, each once, in order; undefined ranges name all. */
export function placesIn(ranges: readonly Range[] | undefined, count: number): Range[] {
  if (!ranges) return count === 0 ? [] : [[0, count - 1]]
  const clipped = ranges
    .filter(([from, to]) => from <= to && from < count)
    .map(([from, to]): Range => [from, Math.min(to, count - 1)])
    .toSorted(([one], [other]) => one - other)
  const merged: Range[] = []
  for (const [from, to] of clipped) {
    const last = merged.at(-1)
    if (last && from <= last[1] + 1) merged[merged.length - 1] = [last[0], Math.max(last[1], to)]
    else merged.push([from, to])
  }
  return merged
}
