import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { app } from '#app'
import { loadConfig } from '#config'
import { type Floor, type Operation, readAnswered, readOperations } from '#harness/answered.ts'
import { openHomeserver } from '#homeserver'

/**
 * Which operations of the Client-Server API are served, which of those the tests have called, and how many of the
 * answers that the spec names they were given. The list of operations and the numbers below which it must not fall
 * stand in tests/fixtures/endpoints.json.
 */

export type Survey = Readonly<{
  operations: readonly Operation[]
  missing: readonly Operation[]
  /** Served, and no test has called them. */
  untested: readonly Operation[]
  /** What the spec lets an operation answer and no test was answered, but for what is withheld. */
  unseen: readonly Gap[]
  /** What is not answered for a reason that the list names. */
  withheld: readonly Gap[]
  /** What the list says is withheld, and a test was answered after all. */
  given: readonly Gap[]
  floor: Floor
}>

type Gap = Readonly<{ operation: Operation; answers: readonly string[] }>
type Route = Readonly<{ method: string; path: string }>

/** Every route of the server, from an instance that listens nowhere and keeps nothing. */
async function routesOf(): Promise<Route[]> {
  const folder = mkdtempSync(join(tmpdir(), 'warren-endpoints-'))
  const database = { name: 'sqlite3', args: { database: ':memory:' } }
  const config = loadConfig([], { server_name: 'a.example', data_dir: folder, database })
  const server = await openHomeserver(config, pino({ level: 'silent' }))
  try {
    return app(server).routes.map(({ method, path }) => ({ method, path }))
  } finally {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same for `{roomId}` and `:roomId`: what a parameter is called makes no difference. */
const shapeOf = ({ method, path }: Route): string => `${method} ${path.replace(/\{[^}]+\}|:[^/]+/g, ':')}`

/** `answered` says of each operation how tests saw it answer. */
export async function surveyEndpoints(answered: ReadonlyMap<string, ReadonlySet<string>>): Promise<Survey> {
  const { operations, withheld, floor } = readOperations()
  const routes = new Set((await routesOf()).map(shapeOf))
  const served = operations.filter((operation) => routes.has(shapeOf(operation)))
  const isWithheld = ({ operationId }: Operation, answer: string): boolean =>
    withheld.some(({ answers }) => answers[operationId]?.includes(answer))
  const isSeen = ({ operationId }: Operation, answer: string): boolean =>
    [...(answered.get(operationId) ?? [])].some((each) => isAnswer(each, answer))
  const gaps = (is: (operation: Operation, answer: string) => boolean): Gap[] =>
    served.flatMap((operation) => {
      const answers = operation.answers.filter((answer) => is(operation, answer))
      return answers.length === 0 ? [] : [{ operation, answers }]
    })
  return {
    operations,
    missing: operations.filter((operation) => !served.includes(operation)),
    untested: served.filter(({ operationId }) => !answered.has(operationId)),
    unseen: gaps((...answer) => !isSeen(...answer) && !isWithheld(...answer)),
    withheld: gaps((...answer) => !isSeen(...answer) && isWithheld(...answer)),
    given: gaps((...answer) => isSeen(...answer) && isWithheld(...answer)),
    floor,
  }
}

/** Where the spec names a status and no code, any code will do. */
const isAnswer = (seen: string, named: string): boolean => seen === named || seen.startsWith(`${named} `)

type Count = Readonly<Record<keyof Floor, number>>

export const countOf = ({ operations, missing, untested, unseen, withheld }: Omit<Survey, 'floor'>): Count => ({
  served: operations.length - missing.length,
  tested: operations.length - missing.length - untested.length,
  answers: answersIn(operations) - answersIn(unseen) - answersIn(withheld),
})

const answersIn = (gaps: readonly Readonly<{ answers: readonly string[] }>[]): number => sum(gaps.map(({ answers }) => answers.length))

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

/** What has fallen below the floor, one sentence each. */
export function fallenBelow({ floor, ...survey }: Survey): string[] {
  const { served, tested, answers } = countOf(survey)
  return [
    ...(served < floor.served ? [`${served} operations are served, and there were ${floor.served}`] : []),
    ...(tested < floor.tested ? [`${tested} operations are tested, and there were ${floor.tested}`] : []),
    ...survey.given.map(({ operation, answers: given }) => `${operation.operationId} is said to withhold ${given.join(', ')}, and a test saw it`),
    ...(answers < floor.answers ? [`${answers} answers of the spec are seen in tests, and there were ${floor.answers}`] : []),
  ]
}

const nameOf = ({ method, path, operationId }: Operation): string => `${method.padEnd(6)} ${path}  ${operationId}`

function print(heading: string, lines: readonly string[]): void {
  if (lines.length === 0) return
  console.log(`${heading}:`)
  for (const line of lines) console.log(`  ${line}`)
}

/** Prints the survey of what a run of the tests has noted in `file`; whether no number has fallen. */
export async function reportEndpoints(file: string, { isWhole }: { isWhole: boolean }): Promise<boolean> {
  const survey = await surveyEndpoints(readAnswered(file))
  print('missing', survey.missing.map(nameOf))
  print('untested', survey.untested.map(nameOf))
  const named = ({ operation, answers }: Gap): string => `${nameOf(operation)}: ${answers.join(', ')}`
  print('answers that no test is given', survey.unseen.map(named))
  if (isWhole) print('answers that are not given, for reasons in tests/fixtures/endpoints.json', survey.withheld.map(named))
  const { served, tested, answers } = countOf(survey)
  const [all, withheld] = [answersIn(survey.operations), answersIn(survey.withheld)]
  console.log(`${survey.operations.length} operations: ${served} served, ${tested} tested; of ${all} answers ${answers} seen, ${withheld} not given`)
  const fallen = fallenBelow(survey)
  for (const sentence of fallen) console.log(sentence)
  return fallen.length === 0
}

/** Runs the tests that call the API and notes what they call. */
async function callEverything(root: string): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'warren-answered-')), 'answered')
  const tests = Bun.spawn([process.execPath, 'test', '--dots', 'tests/client', 'tests/http'], {
    cwd: root,
    env: { ...process.env, WARREN_ANSWERED: file },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  await tests.exited
  return file
}

// `npm run endpoints` prints the survey and fails when a number has fallen.
if (import.meta.main) {
  const file = await callEverything(join(import.meta.dir, '..'))
  process.exit((await reportEndpoints(file, { isWhole: true })) ? 0 : 1)
}
