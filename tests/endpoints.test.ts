import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { operationOf, readOperations } from '#harness/answered.ts'

type Answers = ReadonlyMap<string, ReadonlySet<string>>
type Operation = Readonly<{ operationId: string; answers: readonly string[] }>
type Gap = Readonly<{ operation: Operation; answers: readonly string[] }>
type Survey = Readonly<{
  operations: readonly Operation[]
  missing: readonly Operation[]
  untested: readonly Operation[]
  unseen: readonly Gap[]
  withheld: readonly Gap[]
  given: readonly Gap[]
  floor: Readonly<Record<'served' | 'tested' | 'answers', number>>
}>

const { countOf, fallenBelow, surveyEndpoints }: {
  countOf: (survey: Survey) => Survey['floor']
  fallenBelow: (survey: Survey) => string[]
  surveyEndpoints: (answered: Answers) => Promise<Survey>
} = await import(join(process.cwd(), 'scripts/endpoints.ts'))

describe('the survey of the Client-Server API', () => {
  test('finds every operation served that was', async () => {
    const found = await surveyEndpoints(new Map())
    expect(found.operations).toHaveLength(166)
    expect(countOf(found)).toEqual({ served: found.floor.served, tested: 0, answers: 0 })
  })

  test('knows an operation by its answer, and an answer without a code by its status', async () => {
    const seen = new Map([['getDevice', new Set(['200', '404 M_NOT_FOUND'])], ['sync', new Set(['401 M_MISSING_TOKEN'])]])
    const found = await surveyEndpoints(seen)
    expect(countOf(found)).toMatchObject({ tested: 2, answers: 2 })
    expect(found.unseen.find(({ operation }) => operation.operationId === 'sync')?.answers).toEqual(['200'])
  })

  const operation = { operationId: 'x', answers: ['200', '403'] }
  const survey = { operations: [operation, operation, operation], missing: [operation], untested: [operation], unseen: [{ operation, answers: ['200'] }], withheld: [{ operation, answers: ['403'] }], given: [] }

  test('knows what is withheld, and says when a test saw it all the same', async () => {
    const found = await surveyEndpoints(new Map([['reportRoom', new Set(['404 M_NOT_FOUND'])]]))
    expect(found.withheld.find(({ operation: { operationId } }) => operationId === 'getPresence')?.answers).toEqual(['404'])
    expect(fallenBelow(found)).toContain('reportRoom is said to withhold 404 M_NOT_FOUND, and a test saw it')
  })

  test.each([
    ['is content with as many as before', { served: 2, tested: 1, answers: 4 }, []],
    ['is content with more than before', { served: 0, tested: 0, answers: 0 }, []],
    ['says when fewer are served', { served: 3, tested: 1, answers: 4 }, ['2 operations are served, and there were 3']],
    ['says when fewer are tested', { served: 2, tested: 2, answers: 4 }, ['1 operations are tested, and there were 2']],
    ['says when fewer answers are seen', { served: 2, tested: 1, answers: 5 }, ['4 answers of the spec are seen in tests, and there were 5']],
  ])('%s', (_says, floor, sentences) => {
    expect(fallenBelow({ ...survey, floor })).toEqual(sentences)
  })
})

test.each([
  ['one with parameters', 'GET', '/_matrix/client/v3/rooms/!a/state/m.room.name/', [], 'getRoomStateWithKey'],
  ['one with text of its own before one with a parameter', 'GET', '/_matrix/client/v3/pushrules/global/', [], 'getPushRulesGlobal'],
  ['the old name of a path', 'GET', '/_matrix/client/r0/sync', [], 'sync'],
  ['one of two on a path by its key', 'POST', '/_matrix/client/v3/rooms/!a/invite', ['medium', 'address'], 'inviteBy3PID'],
  ['the other one without it', 'POST', '/_matrix/client/v3/rooms/!a/invite', ['user_id'], 'inviteUser'],
  ['none by another method', 'DELETE', '/_matrix/client/v3/sync', [], undefined],
])('a call is known as %s', (_says, method, pathname, keys, operationId) => {
  expect(operationOf(readOperations().operations, { method, pathname, keys })?.operationId).toBe(operationId as never)
})
