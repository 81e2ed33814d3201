import { expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { OPENID_TOKEN_MS } from '#actors/user/openid.ts'
import { house } from '#harness/house.ts'
import { done } from '#harness/rooms.ts'

const USERINFO = '/_matrix/federation/v1/openid/userinfo'
const unknown = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } }

test('a service learns from an OpenID token who its bearer is, as long as it lasts', async () => {
  const clock = manualClock()
  const { alice, stranger } = await house({}, { clock })
  const { access_token: token } = await done(alice, 'POST', `/v3/user/${alice.userId}/openid/request_token`, {})
  const ask = () => stranger.answer('GET', `${USERINFO}?access_token=${String(token)}`)
  expect(await ask()).toEqual({ status: 200, body: { sub: alice.userId } })
  clock.advance(OPENID_TOKEN_MS)
  expect(await ask()).toMatchObject(unknown)
})

test('a service without a token, with a wrong one, or with the one of a session learns nothing', async () => {
  const { alice, stranger } = await house()
  for (const query of ['', '?access_token='])
    expect(await stranger.answer('GET', USERINFO + query)).toMatchObject({ status: 401, body: { errcode: 'M_MISSING_TOKEN' } })
  for (const token of ['an/invalid/token', alice.token])
    expect(await stranger.answer('GET', `${USERINFO}?access_token=${encodeURIComponent(token)}`)).toMatchObject(unknown)
})
