import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

test('without bridges there are no networks, and nobody on them', async () => {
  const { alice, stranger } = await house()
  expect(await alice.answer('GET', '/v3/thirdparty/protocols')).toEqual({ status: 200, body: {} })
  expect(await alice.answer('GET', '/v3/thirdparty/protocol/irc')).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  expect((await alice.answer('GET', '/v3/thirdparty/location/irc?channel=x')).body as unknown).toEqual([])
  expect((await alice.answer('GET', '/v3/thirdparty/user/irc?nick=x')).body as unknown).toEqual([])
  expect((await alice.answer('GET', '/v3/thirdparty/location?alias=%23irc%3Aa.example')).body as unknown).toEqual([])
  expect((await alice.answer('GET', '/v3/thirdparty/user?userid=%40x%3Aa.example')).body as unknown).toEqual([])
  expect(await alice.answer('GET', '/v3/thirdparty/user')).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } })
  expect((await stranger.answer('GET', '/v3/thirdparty/protocols')).status).toBe(401)
})
