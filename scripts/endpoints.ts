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
  /** What the spec lets an operation answer and no test was answered. */
  unseen: readonly Readonly<{ operation: Operation; answers: readonly string[] }>[]
  floor: Floor
}>

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
  const { operations, floor } = readOperations()
  const routes = new Set((await routesOf()).map(shapeOf))
  const served = operations.filter((operation) => routes.has(shapeOf(operation)))
  return {
    operations,
    missing: operations.filter((operation) => !served.includes(operation)),
    untested: served.filter(({ operationId }) => !answered.has(operationId)),
    unseen: served.flatMap((operation) => {
      const seen = [...(answered.get(operation.operationId) ?? [])]
      const answers = operation.answers.filter((answer) => !seen.some((each) => isAnswer(each, answer)))
      return answers.length === 0 ? [] : [{ operation, answers }]
    }),
    floor,
  }
}

/** Where the spec names a status and no code, any code will do. */
const isAnswer = (seen: string, named: string): boolean => seen === named || seen.startsWith(`${named} `)

type Count = Readonly<Record<keyof Floor, number>>

export const countOf = ({ operations, missing, untested, unseen }: Omit<Survey, 'floor'>): Count => ({
  served: operations.length - missing.length,
  tested: operations.length - missing.length - untested.length,
  answers: sum(operations.map(({ answers }) => answers.length)) - sum(unseen.map(({ answers }) => answers.length)),
})

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

/** What has fallen below the floor, one sentence each. */
export function fallenBelow({ floor, ...survey }: Survey): string[] {
  const { served, tested, answers } = countOf(survey)
  return [
    ...(served < floor.served ? [`${served} operations are served, and there were ${floor.served}`] : []),
    ...(tested < floor.tested ? [`${tested} operations are tested, and there were ${floor.tested}`] : []),
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
  if (isWhole) print('answers that no test is given', survey.unseen.map(({ operation, answers }) => `${nameOf(operation)}: ${answers.join(', ')}`))
  const { served, tested, answers } = countOf(survey)
  const all = sum(survey.operations.map((operation) => operation.answers.length))
  console.log(`${survey.operations.length} operations: ${served} served, ${tested} tested, with ${answers} of ${all} answers`)
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
