import { TypeCompiler, type TypeCheck, ValueErrorType } from '@sinclair/typebox/compiler'
import type { TSchema } from '@sinclair/typebox'
import { badJson, invalidParam, type MatrixError, missingParam } from '#schema/matrix-error.ts'

const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>()

function checkOf(schema: TSchema): TypeCheck<TSchema> {
  const known = compiled.get(schema)
  if (known) return known
  const check = TypeCompiler.Compile(schema)
  compiled.set(schema, check)
  return check
}

/**
 * Refuses what does not fit its schema, naming the place but never echoing the value: bodies hold passwords.
 * A required key that is absent is `M_MISSING_PARAM`; otherwise a body is `M_BAD_JSON` and the rest `M_INVALID_PARAM`.
 */
export function checkSchema(schema: TSchema, value: unknown, part: 'body' | 'query' | 'path'): void {
  const check = checkOf(schema)
  if (!check.Check(value)) throw describe(check, value, part)
}

/** A hostile body may have a million faults; what is missing comes early. */
export const FAULTS_LOOKED_AT = 100

function describe(check: TypeCheck<TSchema>, value: unknown, part: 'body' | 'query' | 'path'): MatrixError {
  const errors = firstOf(check.Errors(value))
  const missing = errors.find(({ type }) => type === ValueErrorType.ObjectRequiredProperty)
  if (missing && part !== 'path') return missingParam(`Missing parameter: ${nameOf(missing.path)}`)
  const wrong = errors[0]
  const why = `${nameOf(wrong?.path ?? '') || 'The body'}: ${wrong?.message ?? 'not what is expected here'}`
  return part === 'body' ? badJson(why) : invalidParam(why)
}

function firstOf<T>(items: Iterable<T>): T[] {
  const first: T[] = []
  for (const item of items) if (first.push(item) >= FAULTS_LOOKED_AT) break
  return first
}

const nameOf = (path: string): string => path.slice(1).replaceAll('/', '.')
