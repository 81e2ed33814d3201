/** The two small grammars of Synapse's configuration: durations and sizes. */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
}

/** Milliseconds of `5`, `"5s"`, `"5m"`, `"5h"`, `"5d"`, `"5w"` or `"5y"`; undefined if it is none of these. */
export const parseDuration = (value: unknown): number | undefined => scaled(value, /^(\d+)([smhdwy]?)$/, DURATION_UNITS)

/** Bytes of `5`, `"5K"`, `"5M"`, `"5G"` or `"5T"` (binary; `"5MiB"`, `"5MB"` too); undefined if it is none of these. */
export const parseSize = (value: unknown): number | undefined =>
  scaled(value, /^(\d+)\s*([KMGTkmgt]?)(?:iB|B)?$/, SIZE_UNITS)

function scaled(value: unknown, form: RegExp, units: Readonly<Record<string, number>>): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string') return undefined
  const [, digits, unit = ''] = form.exec(value.trim()) ?? []
  if (digits === undefined) return undefined
  const amount = Number(digits) * (units[unit] ?? units[unit.toUpperCase()] ?? 1)
  return Number.isSafeInteger(amount) ? amount : undefined
}
