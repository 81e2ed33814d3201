import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sha256Base64 } from '#core/digest.ts'
import { fuzz, type Finding, INPUT_LIMIT, SLOW_MS } from '#harness/fuzz.ts'
import { TARGETS } from '#harness/fuzz-targets.ts'

/** Feeds damaged input to every parser of the core for a bounded time. `--help` says how. */
const usage = `npm run fuzz -- [--seconds 60] [--seed N] [--only NAME,…]
Every finding becomes a file under tests/fixtures/fuzz, which the tests try again from then on.
Inputs are of ${INPUT_LIMIT / 1024} KiB at most; none may throw but a refusal, or take more than ${SLOW_MS} ms.
Names: ${TARGETS.map(({ name }) => name).join(' ')}`

const fixtures = join(import.meta.dir, '../tests/fixtures/fuzz')

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { seconds: text, seed: text, only: text, help: { type: 'boolean', default: false } } })

if (values.help) {
  console.log(usage)
} else {
  const seconds = Number(values.seconds ?? 60)
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const names = values.only?.split(',')
  const targets = TARGETS.filter(({ name }) => names?.includes(name) ?? true)
  console.log(`seed ${seed}, ${seconds} s, ${targets.length} targets`)
  const { counts, findings } = fuzz(targets, seed, seconds * 1000)
  for (const [name, { tried, accepted, slowestMs }] of counts) {
    console.log(`${name.padEnd(20)} ${String(tried).padStart(9)} tried ${String(accepted).padStart(9)} accepted, slowest ${slowestMs.toFixed(1)} ms`)
  }
  for (const finding of findings) await keep(finding, seed)
  const tried = [...counts.values()].reduce((sum, count) => sum + count.tried, 0)
  console.log(`${tried} inputs, ${findings.length} findings`)
  process.exitCode = findings.length === 0 ? 0 : 1
}

async function keep({ target, problem, input }: Finding, seed: number): Promise<void> {
  const name = `${target}-${sha256Base64(input, true).replaceAll(/[-_]/g, '').slice(0, 8)}.json`
  await Bun.write(join(fixtures, name), `${JSON.stringify({ target, problem, seed, input }, undefined, 2)}\n`)
  console.log(`FOUND ${target}: ${problem}\n  ${input.slice(0, 300)}\n  kept as tests/fixtures/fuzz/${name}`)
}
