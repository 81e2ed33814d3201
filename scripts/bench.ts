import type { FigureName } from './bench/budgets.ts'
import { deliveries } from './bench/deliveries.ts'
import { disk, memory, startTimes } from './bench/footprint.ts'
import { measureGenerator } from './bench/generator.ts'
import { describeMachine, measureSync, REST_MS } from './bench/machine.ts'
import type { Options } from './bench/options.ts'
import { openTarget, readOptions, usage } from './bench/options.ts'
import { creations, reads, syncs } from './bench/reads.ts'
import type { Measured } from './bench/report.ts'
import { printReport, reportAsJson } from './bench/report.ts'
import { sends } from './bench/sends.ts'
import type { Bench } from './bench/target.ts'
import { openBench } from './bench/target.ts'
import type { Figure, Unmeasured, Workload } from './bench/workload.ts'

/** What is in use when a burst of work is over: every server collects garbage some time later. */
const CALM_MS = 3000
const workloads: readonly Workload[] = [sends, deliveries, syncs, reads, creations, disk]

type Subject = {
  readonly bench: Bench
  readonly results: Map<FigureName, Figure | Unmeasured>
  readonly firstStartMs: number | undefined
}

// Leaving in this way ends the servers that were started, which dying of the signal would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

const words = process.argv.slice(2)
if (words[0] === 'kernel') await import('./bench/kernel.ts')
else if (words[0] === 'core') await import('./bench/core.ts')
else if (words[0] === 'growth') await import('./bench/growth.ts')
else if (words[0] === 'rooms') await import('./bench/rooms.ts')
else if (words[0] === 'polls') await import('./bench/polls.ts')
else if (words[0] === 'large') await import('./bench/large.ts')
else if (words.includes('--help')) console.log(usage)
else await measureServers(readOptions(words))
// Connections to a server that goes on running would keep this program alive.
process.exit()

async function measureServers(options: Options): Promise<void> {
  const machine = describeMachine()
  const diskMs = measureSync(options.directory)
  const restedDiskMs = measureSync(options.directory, { restMs: REST_MS })
  const generator = await measureGenerator()
  const subjects: Subject[] = []
  try {
    for (const wanted of [options.target, options.peer]) {
      if (wanted === undefined) continue
      const { target, firstStartMs } = await openTarget(wanted, options)
      subjects.push({ bench: openBench(target, options.quick, options.fillEvents), results: new Map(), firstStartMs })
    }
    await measureAll(subjects, options)
  } finally {
    for (const { bench } of subjects) await bench.target.process?.remove()
  }
  const measured: Measured[] = subjects.map(({ bench, results }) => ({ target: bench.target, results }))
  const report = { machine, synchronous: options.synchronous, diskMs, restedDiskMs, generator, measured }
  console.log(options.json ? JSON.stringify(reportAsJson(report), null, 2) : printReport(report))
}

/** Each workload on each server before the next workload, so that a disturbed minute disturbs both. */
async function measureAll(subjects: readonly Subject[], { only }: Options): Promise<void> {
  const wants = (...names: readonly string[]): boolean => only.length === 0 || names.some((name) => only.includes(name))
  if (wants('start-empty')) await eachOf(subjects, startEmpty)
  if (wants('memory-idle')) await Bun.sleep(CALM_MS)
  if (wants('memory-idle')) await eachOf(subjects, ({ bench }) => [memory('memory-idle', bench.target)])
  for (const workload of workloads) {
    if (!wants(workload.name, ...workload.figures)) continue
    await eachOf(subjects, async ({ bench }) => {
      console.error(`${bench.target.name}: ${workload.name}`)
      return workload.run(bench)
    })
  }
  if (wants('memory-after')) await Bun.sleep(CALM_MS)
  if (wants('memory-after')) await eachOf(subjects, ({ bench }) => [memory('memory-after', bench.target)])
  if (wants('start-filled')) await eachOf(subjects, async ({ bench }) => [await startTimes('start-filled', bench)])
}

type Found = readonly (Figure | Unmeasured)[]

async function eachOf(subjects: readonly Subject[], work: (subject: Subject) => Found | Promise<Found>): Promise<void> {
  for (const subject of subjects) {
    for (const figure of await work(subject)) subject.results.set(figure.name, figure)
  }
}

async function startEmpty({ bench, firstStartMs }: Subject): Promise<Found> {
  const figure = await startTimes('start-empty', bench)
  if (!('value' in figure)) return [figure]
  return [{ ...figure, detail: `${figure.detail}; the very first ${firstStartMs?.toFixed(0) ?? '?'}` }]
}
