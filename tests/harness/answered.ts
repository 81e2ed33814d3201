import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Which operations of the Client-Server API the tests have called, and how each of them was answered. It is written
 * to the file that WARREN_ANSWERED names, for scripts/endpoints.ts, and nowhere without it.
 */

export type Operation = Readonly<{
  method: string
  path: string
  operationId: string
  /** What the spec lets it answer: a status, and behind it the error code where one is named. */
  answers: readonly string[]
  /** A key of the query or the body that tells it from another operation on the same path. */
  when?: string
}>
/** Answers that the spec names and this server does not give. */
export type Withheld = Readonly<{ why: string; answers: Readonly<Record<string, readonly string[]>> }>
export type Floor = Readonly<{ served: number; tested: number; answers: number }>

const FIXTURE = join(import.meta.dir, '..', 'fixtures', 'endpoints.json')

export const readOperations = (): Readonly<{ operations: readonly Operation[]; withheld: readonly Withheld[]; floor: Floor }> =>
  JSON.parse(readFileSync(FIXTURE, 'utf8'))

/** A request as far as it says which operation it is. */
export type Called = Readonly<{ method: string; pathname: string; keys: readonly string[] }>

const patterns = new Map<string, RegExp>()
const patternOf = (path: string): RegExp => {
  const known = patterns.get(path)
  if (known) return known
  const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]*')}$`)
  patterns.set(path, pattern)
  return pattern
}

const literalsIn = ({ path }: Operation): number => path.replaceAll(/\{[^}]+\}/g, '').length

/** The operation that was called; of several paths that fit, the one with the most text of its own. */
export function operationOf(operations: readonly Operation[], { method, pathname, keys }: Called): Operation | undefined {
  const path = pathname.replace('/_matrix/client/r0/', '/_matrix/client/v3/')
  const fitting = operations
    .filter((operation) => operation.method === method && patternOf(operation.path).test(path))
    .toSorted((one, other) => literalsIn(other) - literalsIn(one))
  const alike = fitting.filter((operation) => operation.path === fitting[0]?.path)
  return alike.find(({ when }) => when !== undefined && keys.includes(when)) ?? alike.find(({ when }) => when === undefined)
}

/** By operation, how it was answered: `403 M_FORBIDDEN`. */
export function readAnswered(file: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const [operationId = '', answer = ''] = line.split('\t')
    found.set(operationId, (found.get(operationId) ?? new Set()).add(answer))
  }
  return found
}

const file = process.env.WARREN_ANSWERED
const operations = file === undefined ? [] : readOperations().operations
const noted = new Set<string>()

/** To be told of every request and its answer. */
export async function noteAnswer(request: Request, body: string, response: Response): Promise<void> {
  if (file === undefined) return
  const { pathname, searchParams } = new URL(request.url)
  const called = { method: request.method, pathname, keys: [...searchParams.keys(), ...keysOf(body)] }
  const operation = operationOf(operations, called)
  if (!operation) return
  const errcode = response.status < 400 ? undefined : codeOf(await response.clone().text())
  const line = `${operation.operationId}\t${[response.status, errcode].filter(Boolean).join(' ')}\n`
  if (noted.has(line)) return
  noted.add(line)
  appendFileSync(file, line)
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

const keysOf = (text: string): string[] => Object.keys(parsed(text))
const codeOf = (text: string): string | undefined => {
  const { errcode } = parsed(text)
  return typeof errcode === 'string' ? errcode : undefined
}
