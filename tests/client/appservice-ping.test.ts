import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

test('users are no application services', async () => {
  const { alice, stranger } = await house()
  const refused = { status: 403, body: { errcode: 'M_FORBIDDEN' } }
  expect(await alice.answer('POST', '/v1/appservice/irc/ping', {})).toMatchObject(refused)
  expect(await alice.answer('PUT', '/v3/directory/list/appservice/irc/!den:a.example', { visibility: 'public' })).toMatchObject(refused)
  expect((await stranger.answer('POST', '/v1/appservice/irc/ping', {})).status).toBe(401)
})
