import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'

/**
 * Answers of the Client-Server API against the spec's own OpenAPI, where that lies beside the checkout; where it does
 * not, everything fits. Only what the spec uses is understood: types, properties, items, enums, and combinations.
 */

const root = resolve(import.meta.dir, '..', '..')
export const SPEC_DATA = resolve(root, '..', 'shared', 'spec', 'data')
const FOLDER = join(SPEC_DATA, 'api', 'client-server')

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Schema = Readonly<Record<string, unknown>>
type Located = Readonly<{ schema: Schema; file: string }>

/** Answers that are right although the spec's own schema says otherwise; `why` is the fault of the spec. */
export const EXCEPTIONS: readonly Readonly<{ operation: string; status: number; where: RegExp; why: string }>[] = [
  {
    operation: 'getEvents',
    status: 200,
    where: /^\$\.chunk\[\d+\] has no (?:event_id|sender|origin_server_ts|room_id)$/,
    why: 'typing, receipts, presence and account data have always come this way too, and are no events of a room',
  },
  {
    operation: 'getTurnServer',
    status: 200,
    where: /^\$ has no (?:username|password|uris|ttl)$/,
    why: 'the spec has no answer for servers without TURN; clients take an empty object',
  },
  {
    operation: 'getJoinedMembersByRoom',
    status: 200,
    where: /^\$\.joined\..*\.(?:display_name|avatar_url) is null, not string$/,
    why: 'the reference server and its tests have both keys always, null where nothing is set',
  },
]

/** What in a request makes an operation answer in another form: parameters of proposals, and filters that leave fields out. */
const OTHER_FORM = /[?&]org\.matrix\.msc4140\.delay=|%22event_fields%22/

type Operation = Readonly<{ method: string; path: RegExp; file: string; template: string }>

let operations: readonly Operation[] | undefined
const files = new Map<string, unknown>()

const load = (file: string): unknown => {
  const known = files.get(file)
  if (known !== undefined) return known
  const document: unknown = parse(readFileSync(file, 'utf8'))
  files.set(file, document)
  return document
}

/** Which file describes which route, by a look at the text: only what is asked for is parsed. */
function listOperations(): readonly Operation[] {
  if (!existsSync(FOLDER)) return []
  return readdirSync(FOLDER).filter((name) => name.endsWith('.yaml')).flatMap((name) => {
    const file = join(FOLDER, name)
    const text = readFileSync(file, 'utf8')
    const base = /basePath:\s*\n\s+default: (\S+)/.exec(text)?.[1] ?? ''
    return [...text.matchAll(/^ {2}"?(\/[^":]*)"?:\n((?: {4}.*\n|\n)*)/gm)].flatMap(([, template = '', body = '']) =>
      [...body.matchAll(/^ {4}(get|put|post|delete):/gm)].map(([, method = '']) => ({
        method: method.toUpperCase(),
        path: new RegExp(`^${(base + template).replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
        file,
        template,
      })))
  })
}

const at = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined

/** Follows `$ref` to another file, another place, or both. */
function resolveRef({ schema, file }: Located): Located {
  const ref = schema.$ref
  if (typeof ref !== 'string') return { schema, file }
  const [path = '', fragment = ''] = ref.split('#')
  const target = path === '' ? file : resolve(dirname(file), path)
  let found = load(target)
  for (const part of fragment.split('/').filter(Boolean)) found = at(found, part)
  const { $ref: _ref, ...beside } = schema
  const there = resolveRef({ schema: found as Schema, file: target })
  return Object.keys(beside).length === 0 ? there : { schema: { ...there.schema, ...beside }, file: there.file }
}

const typeOf = (value: Json): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

const isOfType = (value: Json, type: string): boolean =>
  typeOf(value) === type || (type === 'number' && typeof value === 'number')

/** Where a value does not fit a schema; empty when it does. */
export function misfits(value: Json, located: Located, place = '$'): string[] {
  const { schema, file } = resolveRef(located)
  const types = [schema.type].flat().filter((type): type is string => typeof type === 'string')
  if (types.length > 0 && !types.some((type) => isOfType(value, type)))
    return [`${place} is ${typeOf(value)}, not ${types.join(' or ')}`]
  if (Array.isArray(schema.enum) && !schema.enum.includes(value))
    return [`${place} is ${JSON.stringify(value)}, not one of ${schema.enum.join(', ')}`]
  if ('const' in schema && schema.const !== value) return [`${place} is not ${JSON.stringify(schema.const)}`]
  return [...misfitsOfParts(value, { schema, file }, place), ...misfitsOfCombinations(value, { schema, file }, place)]
}

function misfitsOfParts(value: Json, { schema, file }: Located, place: string): string[] {
  if (Array.isArray(value)) {
    const items = schema.items as Schema | undefined
    return items ? value.flatMap((each, index) => misfits(each, { schema: items, file }, `${place}[${index}]`)) : []
  }
  if (typeof value !== 'object' || value === null) return []
  const properties = (schema.properties ?? {}) as Record<string, Schema>
  const required = (schema.required ?? []) as string[]
  const missing = required.filter((key) => !Object.hasOwn(value, key)).map((key) => `${place} has no ${key}`)
  const parts = Object.entries(value).flatMap(([key, each]) => {
    const known = properties[key] ?? patternOf(schema, key)
    if (known) return misfits(each, { schema: known, file }, `${place}.${key}`)
    if (schema.additionalProperties === false) return [`${place} may not have ${key}`]
    const more = schema.additionalProperties as Schema | true | undefined
    return typeof more === 'object' ? misfits(each, { schema: more, file }, `${place}.${key}`) : []
  })
  return [...missing, ...parts]
}

function patternOf(schema: Schema, key: string): Schema | undefined {
  const patterns = Object.entries((schema.patternProperties ?? {}) as Record<string, Schema>)
  return patterns.find(([pattern]) => new RegExp(pattern).test(key))?.[1]
}

function misfitsOfCombinations(value: Json, { schema, file }: Located, place: string): string[] {
  const all = ((schema.allOf ?? []) as Schema[]).flatMap((each) => misfits(value, { schema: each, file }, place))
  const choices = [schema.oneOf, schema.anyOf].flatMap((list) => (Array.isArray(list) ? [list as Schema[]] : []))
  const none = choices.flatMap((list) => {
    const each = list.map((choice) => misfits(value, { schema: choice, file }, place))
    const nearest = each.toSorted((one, other) => one.length - other.length)
    return nearest[0] ?? []
  })
  return [...all, ...none]
}

const ERROR: Schema = {
  type: 'object',
  required: ['errcode', 'error'],
  properties: { errcode: { type: 'string' }, error: { type: 'string' } },
}

/** What a 401 that asks for stages looks like; it has an `errcode` only when a stage has failed. */
const isChallenge = (status: number, body: Json): boolean => status === 401 && at(body, 'flows') !== undefined

type Answered = Readonly<{ method: string; pathname: string; status: number; body: Json }>

function complaintsBy({ method, file, template }: Operation, { status, body }: Answered): string[] {
  const described = at(at(at(load(file), 'paths'), template), method.toLowerCase())
  const operation = String(at(described, 'operationId'))
  const responses = at(described, 'responses')
  const response = (at(responses, String(status)) ?? at(responses, 'default')) as Schema | undefined
  if (response === undefined && status < 400) return [`${operation} does not answer ${status}`]
  const answer = response && resolveRef({ schema: response, file }).schema
  const named = at(at(at(answer, 'content'), 'application/json'), 'schema')
  const schema = (named ?? (status >= 400 && !isChallenge(status, body) ? ERROR : undefined)) as Schema | undefined
  if (!schema) return []
  const exceptions = EXCEPTIONS.filter((exception) => exception.operation === operation && exception.status === status)
  return misfits(body, { schema, file })
    .filter((misfit) => !exceptions.some(({ where }) => where.test(misfit)))
    .map((where) => `${operation} ${status}: ${where}`)
}

/** What the spec has against an answer; empty for paths that it does not know. */
export function complaintsAbout(answered: Answered): string[] {
  operations ??= listOperations()
  const { method, pathname } = answered
  const path = pathname.replace('/_matrix/client/r0/', '/_matrix/client/v3/')
  const described = operations.filter((operation) => operation.method === method && operation.path.test(path))
  const found = described.map((operation) => complaintsBy(operation, answered))
  return found.some((complaints) => complaints.length === 0) ? [] : (found[0] ?? [])
}

/** Throws where the spec describes another answer than this one. */
export async function refuseMisfit(request: Request, response: Response): Promise<void> {
  if (!response.headers.get('content-type')?.startsWith('application/json')) return
  const { pathname, search } = new URL(request.url)
  if (OTHER_FORM.test(search)) return
  const body = (await response.clone().json()) as Json
  const complaints = complaintsAbout({ method: request.method, pathname, status: response.status, body })
  if (complaints.length === 0) return
  const [first, text] = [complaints.slice(0, 5).join('\n  '), JSON.stringify(body).slice(0, 500)]
  throw new Error(`${request.method} ${pathname} does not answer as the spec says:\n  ${first}\n${text}`)
}
