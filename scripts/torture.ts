import { parseArgs } from 'node:util'
import type { ServerOptions } from '#harness/warren-process.ts'
import { binaryCommand, sourceCommand } from '#harness/warren-process.ts'
import type { TortureReport } from '#harness/torture.ts'
import { torture } from '#harness/torture.ts'

/** Kills a server again and again while clients write to it, and counts what it lost. `--help` says how. */
const usage = `npm run torture -- [--rounds 1000] [--seed N] [--flood-ms 250] [--binary FILE]
  --command "CMD … {config}" --config FILE   another server; FILE is JSON laid over its settings`

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: {
    'rounds': text, 'seed': text, 'flood-ms': text, 'binary': text, 'command': text, 'config': text,
    'help': { type: 'boolean', default: false },
  },
})

// Leaving in this way ends the server that was started, which dying of the signal would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

if (values.help) {
  console.log(usage)
} else {
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const rounds = Number(values.rounds ?? 1000)
  console.log(`seed ${seed}, ${rounds} rounds`)
  const began = performance.now()
  const report = await torture({
    server: await describeServer(),
    rounds,
    seed,
    floodMs: Number(values['flood-ms'] ?? 250),
    onRound: (round, { acknowledged, faults }) => {
      if (round % 50 === 0) console.log(`${round} rounds, ${acknowledged} acknowledged, ${faults.length} faults`)
    },
  })
  console.log(summary(report, (performance.now() - began) / 1000))
  process.exitCode = report.faults.length === 0 ? 0 : 1
}

async function describeServer(): Promise<ServerOptions> {
  const config: unknown = values.config === undefined ? {} : await Bun.file(values.config).json()
  const settings = typeof config === 'object' && config !== null ? { ...config } : {}
  if (values.command !== undefined) return { command: values.command.split(' '), config: settings }
  return { command: values.binary === undefined ? sourceCommand : binaryCommand(values.binary), config: settings }
}

function summary(report: TortureReport, seconds: number): string {
  const { rounds, acknowledged, interrupted, repeated, slowestStartMs, faults } = report
  return [
    ...faults,
    `${rounds} kills in ${seconds.toFixed(0)} s: ${acknowledged} acknowledged events, ` +
      `${interrupted} cut off and sent again, ${repeated} sent twice, slowest start ${slowestStartMs.toFixed(0)} ms: ` +
      (faults.length === 0 ? 'nothing lost, nothing doubled' : 'FAULTS'),
  ].join('\n')
}
