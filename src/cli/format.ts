const SIZE_STEP = 1024
const SIZES = ['B', 'KB', 'MB', 'GB', 'TB']

/** `1536` as `1.5 KB`. */
export function bytes(count: number): string {
  let value = count
  let size = 0
  while (value >= SIZE_STEP && size < SIZES.length - 1) {
    value /= SIZE_STEP
    size += 1
  }
  return `${size === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${SIZES[size]}`
}

const AGES: readonly (readonly [name: string, ms: number])[] = [
  ['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1_000],
]

/** `90000` as `1 minute`. */
export function age(ms: number): string {
  const [name, unit] = AGES.find(([, each]) => ms >= each) ?? ['second', 1_000]
  return counted(Math.floor(ms / unit), name)
}

/** `1 room`, `2 rooms`. */
export const counted = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`

/** `2026-11-23 22:50`, in UTC; `never` for null. */
export const date = (ts: number | null): string =>
  ts === null ? 'never' : new Date(ts).toISOString().slice(0, 16).replace('T', ' ')

/** Columns as wide as their widest cell; those whose heading begins with a space are set right. */
export function columns(heading: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = heading.map((title, index) =>
    Math.max(title.trim().length, ...rows.map((row) => row[index]?.length ?? 0)))
  const line = (cells: readonly string[]): string => cells.map((cell, index) => {
    const width = widths[index] ?? 0
    return heading[index]?.startsWith(' ') ? cell.trim().padStart(width) : cell.padEnd(width)
  }).join('  ').trimEnd()
  return [line(heading), ...rows.map(line)]
}
