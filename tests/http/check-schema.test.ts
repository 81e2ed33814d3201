import { expect, test } from 'bun:test'
import { Type } from '@sinclair/typebox'
import { checkSchema, FAULTS_LOOKED_AT } from '#http/check-schema.ts'
import { MatrixError } from '#schema/matrix-error.ts'

const schema = Type.Object({ name: Type.String(), counts: Type.Optional(Type.Record(Type.String(), Type.Integer())) })

const refusal = (value: unknown, part: 'body' | 'query' | 'path'): unknown => {
  try {
    checkSchema(schema, value, part)
  } catch (error) {
    return error instanceof MatrixError ? [error.status, error.errcode, error.message] : error
  }
  return undefined
}

test.each([
  ['what fits passes', { name: 'a' }, 'body', undefined],
  ['what is missing in a body', {}, 'body', [400, 'M_MISSING_PARAM', 'Missing parameter: name']],
  ['what is missing in a query', {}, 'query', [400, 'M_MISSING_PARAM', 'Missing parameter: name']],
  ['what is missing beside something wrong', { counts: 'secret' }, 'body', [400, 'M_MISSING_PARAM', 'Missing parameter: name']],
  ['what is wrong in a body', { name: 1 }, 'body', [400, 'M_BAD_JSON', 'name: Expected string']],
  ['what is wrong in a query', { name: 1 }, 'query', [400, 'M_INVALID_PARAM', 'name: Expected string']],
  ['what is wrong further inside', { name: 'a', counts: { b: 'secret' } }, 'body', [400, 'M_BAD_JSON', 'counts.b: Expected integer']],
  ['what is no object', 'secret', 'body', [400, 'M_BAD_JSON', 'The body: Expected object']],
] as const)('%s', (_says, value, part, expected) => {
  expect(refusal(value, part)).toEqual(expected as never)
})

test.each([
  ['what is missing among a few faults is named', FAULTS_LOOKED_AT - 1, 'M_MISSING_PARAM'],
  ['behind so many faults nobody looks on', FAULTS_LOOKED_AT, 'M_BAD_JSON'],
])('%s', (_says, faults, errcode) => {
  const list = Type.Object({ list: Type.Array(Type.Object({ name: Type.String() })) })
  const value = { list: [...Array.from({ length: faults }, () => ({ name: 1 })), {}] }
  expect(() => checkSchema(list, value, 'body')).toThrow(expect.objectContaining({ errcode }))
})
