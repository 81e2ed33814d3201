import { expect, test } from 'bun:test'

import { handbook, HANDBOOK_PATH } from '#admin/handbook.ts'
import { commandsFor } from '#cli/index.ts'
import { openFakeServer } from '#harness/fake-server.ts'
import { manual, topicNames } from '#manual/index.ts'

const get = (path: string): Promise<Response> => handbook().handle(new Request(`http://a.example${path}`))

test('every page can be read in a browser, and is linked', async () => {
  const list = await (await get(HANDBOOK_PATH)).text()
  for (const topic of topicNames) {
    expect(list).toContain(`href="${HANDBOOK_PATH}/${topic}"`)
    const response = await get(`${HANDBOOK_PATH}/${topic}`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  }
})

test('a page that does not exist is not found', async () => {
  expect((await get(`${HANDBOOK_PATH}/nothing`)).status).toBe(404)
})

test('the page on the command line names every command', () => {
  const text = manual.get('command-line') ?? ''
  expect(commandsFor(openFakeServer).map(({ name }) => name).filter((name) => !text.includes(`warren ${name}`))).toEqual([])
})

test('pages are no wider than a terminal', () => {
  expect([...manual].flatMap(([topic, text]) => text.split('\n').filter((line) => line.length > 110).map((line) => `${topic}: ${line}`)))
    .toEqual([])
})
