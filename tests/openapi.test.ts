import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { complaintsAbout, misfits, refuseMisfit, SPEC_DATA } from '#harness/openapi.ts'

const isThere = existsSync(SPEC_DATA)

describe('the check of answers', () => {
  test.each([
    ['a type', { type: 'string' }, 1, ['$ is integer, not string']],
    ['one of several types', { type: ['string', 'null'] }, null, []],
    ['an integer as a number', { type: 'number' }, 1, []],
    ['a number that is no integer', { type: 'integer' }, 1.5, ['$ is number, not integer']],
    ['a required key', { type: 'object', required: ['a'] }, {}, ['$ has no a']],
    ['a key of the wrong type', { type: 'object', properties: { a: { type: 'string' } } }, { a: true }, ['$.a is boolean, not string']],
    ['keys beside the known ones', { type: 'object', additionalProperties: { type: 'string' } }, { a: 1 }, ['$.a is integer, not string']],
    ['keys that may not be', { type: 'object', additionalProperties: false }, { a: 1 }, ['$ may not have a']],
    ['keys by pattern', { type: 'object', patternProperties: { '^m\\.': { type: 'string' } } }, { 'm.x': 1, y: 1 }, ['$.m.x is integer, not string']],
    ['items', { type: 'array', items: { type: 'string' } }, ['a', 1], ['$[1] is integer, not string']],
    ['a choice of values', { enum: ['a', 'b'] }, 'c', ['$ is "c", not one of a, b']],
    ['all of several', { allOf: [{ required: ['a'] }, { required: ['b'] }] }, { a: 1 }, ['$ has no b']],
    ['one of several', { oneOf: [{ type: 'string' }, { type: 'integer' }] }, 1, []],
    ['none of several', { anyOf: [{ type: 'string' }, { type: 'boolean' }] }, 1, ['$ is integer, not string']],
  ])('knows %s', (_says, schema, value, found) => {
    expect(misfits(value as never, { schema, file: '/' })).toEqual(found)
  })

  test.if(isThere).each([
    ['a success with a key of the wrong type', { method: 'GET', pathname: '/_matrix/client/v3/sync', status: 200, body: { next_batch: 1 } }, ['sync 200: $.next_batch is integer, not string']],
    ['the same under the old name', { method: 'GET', pathname: '/_matrix/client/r0/sync', status: 200, body: {} }, ['sync 200: $ has no next_batch']],
    ['a success that the spec does not know', { method: 'GET', pathname: '/_matrix/client/v3/sync', status: 204, body: {} }, ['sync does not answer 204']],
    ['an error without a code', { method: 'GET', pathname: '/_matrix/client/v3/sync', status: 403, body: { error: 'x' } }, ['sync 403: $ has no errcode']],
    ['nothing in a demand for authentication', { method: 'POST', pathname: '/_matrix/client/v3/account/password', status: 401, body: { flows: [], session: 'x' } }, []],
    ['nothing in what is no operation', { method: 'GET', pathname: '/_matrix/client/unstable/x', status: 200, body: 1 }, []],
    ['nothing in an answer that is an exception', { method: 'GET', pathname: '/_matrix/client/v3/voip/turnServer', status: 200, body: {} }, []],
  ])('finds %s', (_says, answered, found) => {
    expect(complaintsAbout(answered as never)).toEqual(found)
  })

  test.if(isThere)('fails the test that got such an answer, and leaves the body to be read', async () => {
    const ask = (body: object) => refuseMisfit(new Request('http://a.example/_matrix/client/versions'), Response.json(body))
    expect(ask({ versions: 1 })).rejects.toThrow('getVersions 200: $.versions is integer, not array')
    const response = Response.json({ versions: [] })
    await refuseMisfit(new Request('http://a.example/_matrix/client/versions'), response)
    expect(await response.json()).toEqual({ versions: [] })
  })
})
