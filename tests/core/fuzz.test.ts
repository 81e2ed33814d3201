import { describe, expect, test } from 'bun:test'
import { Glob } from 'bun'
import type { Json } from '#schema/pdu.ts'
import { fuzz, INPUT_LIMIT, judge, SLOW_MS, type Target } from '#harness/fuzz.ts'
import { TARGETS } from '#harness/fuzz-targets.ts'
import { badJson } from '#schema/matrix-error.ts'

/**
 * What `npm run fuzz` has found, each as a file: what was fed to which target, and what was wrong with it then. A
 * long input is a list of texts, each with the number of its repetitions.
 */
type Fixture = Readonly<{ target: string; problem: string; input: string | readonly (readonly [text: string, times: number])[] }>

const folder = `${import.meta.dir}/../fixtures/fuzz`
const fixtures = await Promise.all(
  [...new Glob('*.json').scanSync({ cwd: folder })].sort().map(async (file) => [file, (await Bun.file(`${folder}/${file}`).json()) as Fixture] as const),
)

const inputOf = ({ input }: Fixture): string =>
  typeof input === 'string' ? input : input.map(([text, times]) => text.repeat(times)).join('')

describe('what the fuzzer found once', () => {
  test.each(fixtures)('%s is no problem any more', (_file, fixture) => {
    const target = TARGETS.find(({ name }) => name === fixture.target)
    if (!target) throw new Error(`There is no target ${fixture.target}`)
    const input = inputOf(fixture)
    expect(Buffer.byteLength(input)).toBeLessThanOrEqual(INPUT_LIMIT)
    expect(judge(target, input).problem).toBeUndefined()
  })

  test('is kept', () => {
    expect(fixtures.length).toBeGreaterThan(5)
  })
})

test('two seconds of damaged input break nothing', () => {
  const { counts, findings } = fuzz(TARGETS, 20_260_101, 2000)
  expect(findings).toEqual([])
  expect([...counts.values()].every(({ tried }) => tried > 0)).toBe(true)
}, 20_000)

test.each(TARGETS.map((target) => [target.name, target] as const))('of the seeds of %s at least one is accepted', (_name, target) => {
  expect(target.seeds.some((seed) => judge(target, JSON.stringify(seed)).accepted)).toBe(true)
})

describe('the fuzzer', () => {
  const targetThat = (run: (input: Json) => boolean): Target => ({ name: 'it', seeds: [{ a: ['x', 1] }], run })
  /** Busy for so long by both clocks that the fuzzer reads: the process's may run faster, it counts every thread. */
  const worksFor = (ms: number): boolean => {
    const [began, worked] = [performance.now(), process.cpuUsage()]
    for (let spent = 0; spent < ms; ) {
      const { user, system } = process.cpuUsage(worked)
      spent = Math.min(performance.now() - began, (user + system) / 1000)
    }
    return true
  }
  const problemsOf = (target: Target): string[] => fuzz([target], 1, 300).findings.map(({ problem }) => problem)

  test('reports what is thrown, with the least input that throws it', () => {
    const target = targetThat((input) => {
      if (JSON.stringify(input).includes('[]')) throw new TypeError('an empty list')
      return true
    })
    const [finding] = fuzz([target], 1, 300).findings
    expect(finding?.problem).toContain('TypeError: an empty list')
    expect(finding?.input).toBe('[]')
  })

  test('takes a refusal for no problem', () => {
    expect(problemsOf(targetThat(() => { throw badJson('no') }))).toEqual([])
  })

  test('reports what is slow every time', () => {
    expect(problemsOf(targetThat(() => worksFor(SLOW_MS * 1.2)))).toEqual(['slow'])
  })

  test('does not call slow what is slow once', () => {
    let calls = 0
    expect(problemsOf(targetThat(() => worksFor(calls++ === 0 ? SLOW_MS * 1.2 : 0)))).toEqual([])
  })

  test('tries the same inputs for the same seed', () => {
    const inputsFrom = (seed: number): string[] => {
      const seen: string[] = []
      fuzz([targetThat((input) => seen.push(JSON.stringify(input)) > 0)], seed, 100)
      return seen.slice(0, 50)
    }
    expect(inputsFrom(7)).toEqual(inputsFrom(7))
    expect(inputsFrom(7)).not.toEqual(inputsFrom(8))
  })
})
