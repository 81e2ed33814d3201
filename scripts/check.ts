import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { reportEndpoints } from './endpoints.ts'
import { unreadOptions } from './option-use.ts'

/**
 * All that must hold: types, lint, tests. Says what it found, in the last line `N passed, N failed`, and leaves with
 * 1 when anything failed. Types, lint and the count of what the tests have called count as one test each.
 */

const root = join(import.meta.dir, '..')
const answeredFile = join(root, 'dist', 'answered.txt')
/** What the tests write goes here and is thrown away, however they end. */
const scratch = mkdtempSync(join(tmpdir(), 'warren-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const CODE_FOLDERS = ['schema', 'actors', 'src', 'scripts']
const TEST_LIMIT_MS = 285_000
const LARGEST_SHOWN = 5
/** Tests that start servers and clients of their own and mostly wait for them: they run beside all the others. */
const WITH_PROCESSES = ['tests/real-client/', 'tests/cli/', 'tests/torture.test.ts']

type Outcome = Readonly<{ passed: number; failed: number }>

type Output = 'inherit' | Bun.BunFile

async function run(command: readonly string[], output: Output = 'inherit'): Promise<number> {
  const env = { ...process.env, WARREN_ANSWERED: answeredFile, TMPDIR: scratch }
  const child = Bun.spawn([...command], { cwd: root, env, stdio: ['ignore', output, output], timeout: TEST_LIMIT_MS })
  return child.exited
}

async function check(name: string, command: readonly string[]): Promise<Outcome> {
  const isFine = (await run(command)) === 0
  console.log(`${name}: ${isFine ? 'fine' : 'FAILED'}`)
  return isFine ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

async function tests(): Promise<Outcome[]> {
  mkdirSync(join(root, 'dist'), { recursive: true })
  await Bun.write(answeredFile, '')
  const aside = Bun.file(join(root, 'dist', 'tests-with-processes.txt'))
  await Bun.write(aside, '')
  const outcomes = await Promise.all([
    test('all-others', WITH_PROCESSES.map((place) => `--path-ignore-patterns=${place.endsWith('/') ? `${place}**` : place}`)),
    test('with-processes', WITH_PROCESSES, aside),
  ])
  console.log(await aside.text())
  return outcomes
}

async function test(name: string, which: readonly string[], output: Output = 'inherit'): Promise<Outcome> {
  const junitFile = join(root, 'dist', `junit-${name}.xml`)
  await Bun.file(junitFile).delete().catch(() => undefined)
  const code = await run([process.execPath, 'test', '--dots', '--reporter=junit', `--reporter-outfile=${junitFile}`, ...which], output)
  const totals = await Bun.file(junitFile).text().then((text) => /<testsuites[^>]*>/.exec(text)?.[0] ?? '', () => '')
  const count = (name: string): number => Number(new RegExp(`${name}="(\\d+)"`).exec(totals)?.[1] ?? 0)
  const failed = count('failures') + count('errors')
  const passed = count('tests') - count('failures') - count('skipped')
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed }
}

async function endpoints(): Promise<Outcome> {
  const isFine = await reportEndpoints(answeredFile, { isWhole: false })
  return isFine ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

type Counted = Readonly<{ file: string; lines: number }>

/** Lines with something on them that is no comment. */
function countLines(folder: string): Counted[] {
  return [...new Bun.Glob(`${folder}/**/*.ts`).scanSync({ cwd: root })].map((file) => {
    const lines = readFileSync(join(root, file), 'utf8').split('\n').map((line) => line.trim())
    return { file, lines: lines.filter((line) => line !== '' && !/^(\/\/|\/?\*)/.test(line)).length }
  })
}

function describeCode(): void {
  const code = CODE_FOLDERS.flatMap(countLines)
  const tests = countLines('tests')
  const sum = (files: readonly Counted[]): number => files.reduce((total, { lines }) => total + lines, 0)
  const largest = code.toSorted((a, b) => b.lines - a.lines).slice(0, LARGEST_SHOWN)
  console.log(`largest files: ${largest.map(({ file, lines }) => `${file} ${lines}`).join(', ')}`)
  console.log(`lines of code ${sum(code)}, of tests ${sum(tests)}, ratio ${(sum(tests) / sum(code)).toFixed(2)}`)
  const unread = unreadOptions(root)
  if (unread.length > 0) console.log(`options that no code reads (${unread.length}): ${unread.join(', ')}`)
}

const started = Date.now()
const outcomes = [
  await check('types', [process.execPath, 'check']),
  await check('lint', [join(root, 'node_modules/.bin/oxlint'), '--quiet', ...CODE_FOLDERS, 'tests']),
  ...(await tests()),
  await endpoints(),
]
describeCode()
const passed = outcomes.reduce((total, outcome) => total + outcome.passed, 0)
const failed = outcomes.reduce((total, outcome) => total + outcome.failed, 0)
console.log(`took ${Math.round((Date.now() - started) / 1000)} s`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
