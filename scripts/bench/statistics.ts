/** The value below which the given share (0 to 1) of all values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** `p50 0.81, p95 1.20, p99 2.05 ms` */
export function latencies(valuesMs: readonly number[]): string {
  const shown = (share: number): string => percentile(valuesMs, share).toFixed(2)
  return `p50 ${shown(0.5)}, p95 ${shown(0.95)}, p99 ${shown(0.99)} ms`
}
