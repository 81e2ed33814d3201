import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

const TAGS = '/v3/user/@alice:a.example/rooms/!den/tags'

test('tags are set, listed and removed', async () => {
  const { alice, close } = await house()
  expect(await alice.answer('GET', TAGS)).toEqual({ status: 200, body: { tags: {} } })
  expect(await alice.answer('PUT', `${TAGS}/u.work`, { order: 0.5 })).toEqual({ status: 200, body: {} })
  expect(await alice.answer('PUT', `${TAGS}/m.favourite`, {})).toMatchObject({ status: 200 })
  expect((await alice.answer('GET', TAGS)).body).toEqual({ tags: { 'u.work': { order: 0.5 }, 'm.favourite': {} } })
  expect(await alice.answer('DELETE', `${TAGS}/u.work`)).toEqual({ status: 200, body: {} })
  expect((await alice.answer('GET', TAGS)).body).toEqual({ tags: { 'm.favourite': {} } })
  await close()
})

test.each([
  ['an order that is no number', { order: 'first' }, 'u.work', 400, 'M_BAD_JSON'],
  ['a tag that is too long', {}, 'x'.repeat(256), 400, 'M_INVALID_PARAM'],
])('%s is refused', async (_says, body, tag, status, errcode) => {
  const { alice, close } = await house()
  expect(await alice.answer('PUT', `${TAGS}/${tag}`, body)).toMatchObject({ status, body: { errcode } })
  await close()
})

test('tags are nobody else’s', async () => {
  const { bob, close } = await house()
  for (const [method, path, body] of [['GET', TAGS, undefined], ['PUT', `${TAGS}/x`, {}], ['DELETE', `${TAGS}/x`, undefined]] as const)
    expect(await bob.answer(method, path, body)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
  await close()
})
