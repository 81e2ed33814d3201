import { expect, test } from 'bun:test'
import { join } from 'node:path'

type Survey = Readonly<Record<'operations' | 'missing' | 'untested', readonly object[]> & { floor: { served: number; tested: number } }>

const { fallenBelow, surveyEndpoints }: {
  fallenBelow: (survey: Survey) => string[]
  surveyEndpoints: (root: string) => Promise<Survey>
} = await import(join(process.cwd(), 'scripts/endpoints.ts'))

const operation = { method: 'GET', path: '/x', operationId: 'x' }
const survey = { operations: [operation, operation, operation], missing: [operation], untested: [operation] }

test('every operation of the Client-Server API that was served and tested still is', async () => {
  const found = await surveyEndpoints(process.cwd())
  expect(found.operations).toHaveLength(166)
  expect(fallenBelow(found)).toEqual([])
})

test.each([
  ['as many as before is fine', { served: 2, tested: 1 }, []],
  ['more than before is fine', { served: 0, tested: 0 }, []],
  ['fewer served is said', { served: 3, tested: 1 }, ['2 operations are served, and there were 3']],
  ['fewer tested is said', { served: 2, tested: 2 }, ['1 operations are tested, and there were 2']],
])('%s', (_says, floor, sentences) => {
  expect(fallenBelow({ ...survey, floor })).toEqual(sentences)
})
