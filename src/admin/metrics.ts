import type { Homeserver } from '#homeserver'
import { type Page, page } from '#http/page.ts'
import { countBrokenInvariants } from '#store/broken-invariants.ts'

/** One figure in time, for Prometheus. A counter only grows, but for a restart; a gauge goes up and down. */
export type Metric = Readonly<{
  name: string
  help: string
  type: 'counter' | 'gauge'
  samples: readonly Sample[]
}>
export type Sample = Readonly<{ labels?: Readonly<Record<string, string>>; value: number }>

/** What is shown, each looked up at the moment in which it is asked for: nothing is kept for it. */
const METRICS: readonly ((server: Homeserver) => Metric)[] = [
  ({ store }) => ({
    name: 'warren_broken_invariants_total',
    help: 'Cases of what must never happen; any but 0 is a fault of the server that should be reported.',
    type: 'counter',
    samples: [...countBrokenInvariants(store)].map(([invariant, value]) => ({ labels: { invariant }, value })),
  }),
  () => ({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process.',
    type: 'gauge',
    samples: [{ value: process.memoryUsage.rss() }],
  }),
  () => ({
    name: 'process_start_time_seconds',
    help: 'Since when the process runs, in seconds since 1970.',
    type: 'gauge',
    samples: [{ value: Math.round(Date.now() / 1000 - process.uptime()) }],
  }),
]

/** There only with `enable_metrics`, and reached only where a listener has the resource `metrics`. */
export function metricsPage(server: Homeserver): Page {
  const show = () => new Response(printMetrics(METRICS.map((read) => read(server))), { headers: TEXT })
  return server.config.enableMetrics ? page().get('/_synapse/metrics', show).get('/metrics', show) : page()
}

const TEXT = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } as const

/** The text format of Prometheus, which every scraper reads: three lines of it are not worth a library's fifteen megabytes. */
export const printMetrics = (metrics: readonly Metric[]): string =>
  metrics
    .flatMap(({ name, help, type, samples }) => [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ labels = {}, value }) => `${name}${printLabels(labels)} ${value}`),
    ])
    .map((line) => `${line}\n`)
    .join('')

function printLabels(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return entries.length === 0 ? '' : `{${entries.join(',')}}`
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
