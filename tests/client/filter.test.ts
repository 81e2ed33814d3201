import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

const FILTER = '/v3/user/@alice:a.example/filter'
const definition = { room: { timeline: { limit: 5, types: ['m.room.message'] } } }

test('a filter is kept under an id, the same one for the same filter', async () => {
  const { alice, close } = await house()
  const { status, body } = await alice.answer('POST', FILTER, definition)
  expect({ status, body }).toEqual({ status: 200, body: { filter_id: '0' } })
  expect((await alice.answer('POST', FILTER, definition)).body).toEqual(body)
  expect(await alice.answer('GET', `${FILTER}/0`)).toEqual({ status: 200, body: definition })
  await close()
})

const bobs = '/v3/user/@bob:a.example/filter'

test.each([
  ['a filter that is none', ['POST', FILTER, { room: 'den' }], 400, 'M_BAD_JSON'],
  ['a filter that is not there', ['GET', `${FILTER}/17`, undefined], 404, 'M_NOT_FOUND'],
  ['a filter for someone else', ['POST', bobs, {}], 403, 'M_FORBIDDEN'],
  ['the filter of someone else', ['GET', `${bobs}/0`, undefined], 403, 'M_FORBIDDEN'],
] as const)('%s is refused', async (_says, request, status, errcode) => {
  const { alice, close } = await house()
  expect(await alice.answer(request[0], request[1], request[2])).toMatchObject({ status, body: { errcode } })
  await close()
})
