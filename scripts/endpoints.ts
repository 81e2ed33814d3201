import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { app } from '#app'
import { loadConfig } from '#config'
import { openHomeserver } from '#homeserver'

/**
 * Which operations of the Client-Server API are served, and which of those a test calls. The list of operations and the
 * numbers below which it must not fall stand in tests/fixtures/endpoints.json.
 */

const FIXTURE = 'tests/fixtures/endpoints.json'

export type Operation = Readonly<{ method: string; path: string; operationId: string }>
export type Floor = Readonly<{ served: number; tested: number }>
export type Survey = Readonly<{
  operations: readonly Operation[]
  missing: readonly Operation[]
  /** Served, and no test calls them. */
  untested: readonly Operation[]
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

/** One path segment as tests write it: text, or something put in. */
const SEGMENT = String.raw`(?:\$\{[^}]*\}|[^'"\x60/?\s$])+`
const IN_ROOM = '/_matrix/client/v3/rooms/{roomId}'

const escaped = (text: string): string => text.replace(/[.*+?^$()|[\]\\]/g, String.raw`\$&`)
const written = (path: string): string => path.split(/\{[^}]+\}/).map(escaped).join(SEGMENT)

/** How tests write the path: in full, under `/_matrix/client`, or by `inRoom`. */
function mentionOf(path: string): RegExp {
  const forms = [written(path.replace('/_matrix/client', ''))]
  if (path.startsWith(`${IN_ROOM}/`))
    forms.push(String.raw`inRoom\([^'"\x60]*,\s*['"\x60]${written(path.slice(IN_ROOM.length))}`)
  return new RegExp(String.raw`(?:${forms.join('|')})(?=['"\x60?\s)]|\$\{)`)
}

/** Tests put paths together from constants and small functions; each is written out where it is put in. */
function writtenOut(text: string): string {
  const parts = new Map<string, string>()
  for (const [, name = '', , value = ''] of text.matchAll(/const (\w+) = (['"`])([^'"`\n]*)\2/g)) parts.set(name, value)
  for (const [, name = '', value = ''] of text.matchAll(/const (\w+) = \([^)]*\)[^=\n]*=>\s*`([^`\n]*)`/g))
    parts.set(name, value)
  let whole = text
  for (let depth = 0; depth < NESTED; depth++) whole = whole.replace(USE, (used, name: string) => parts.get(name) ?? used)
  return whole
}

const NESTED = 3
/** A constant or a call of a function that is put into a text. */
const USE = /\$\{(\w+)(?:\((?:[^(){}]|\([^(){}]*\))*\))?\}/g

export async function surveyEndpoints(root: string): Promise<Survey> {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8')
  const { operations, floor } = JSON.parse(read(FIXTURE)) as { operations: Operation[]; floor: Floor }
  const routes = new Set((await routesOf()).map(shapeOf))
  const files = [...new Bun.Glob('tests/{client,harness,http}/**/*.ts').scanSync({ cwd: root })]
  const tests = files.map((file) => writtenOut(read(file)))
  const isTested = ({ method, path }: Operation): boolean => {
    const mention = mentionOf(path)
    return tests.some((text) => text.includes(`'${method}'`) && mention.test(text))
  }
  const served = operations.filter((operation) => routes.has(shapeOf(operation)))
  return {
    operations,
    missing: operations.filter((operation) => !served.includes(operation)),
    untested: served.filter((operation) => !isTested(operation)),
    floor,
  }
}

/** What has fallen below the floor, one sentence each. */
export function fallenBelow({ operations, missing, untested, floor }: Survey): string[] {
  const served = operations.length - missing.length
  const tested = served - untested.length
  return [
    ...(served < floor.served ? [`${served} operations are served, and there were ${floor.served}`] : []),
    ...(tested < floor.tested ? [`${tested} operations are tested, and there were ${floor.tested}`] : []),
  ]
}

const print = (heading: string, operations: readonly Operation[]): void => {
  if (operations.length === 0) return
  console.log(`${heading}:`)
  for (const { method, path, operationId } of operations) console.log(`  ${method.padEnd(6)} ${path}  ${operationId}`)
}

// `npm run endpoints` prints the survey and fails when a number has fallen.
if (import.meta.main) {
  const survey = await surveyEndpoints(join(import.meta.dir, '..'))
  print('missing', survey.missing)
  print('untested', survey.untested)
  const served = survey.operations.length - survey.missing.length
  const { operations, missing, untested } = survey
  console.log(`${operations.length} operations: ${served} served, ${missing.length} missing, ${untested.length} untested`)
  const fallen = fallenBelow(survey)
  for (const sentence of fallen) console.log(sentence)
  process.exit(fallen.length === 0 ? 0 : 1)
}
