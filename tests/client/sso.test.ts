import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

test.each([
  ['/v3/login/sso/redirect?redirectUrl=https%3A%2F%2Fapp.example', 'M_UNRECOGNIZED'],
  ['/v3/login/sso/redirect/google?redirectUrl=https%3A%2F%2Fapp.example', 'M_NOT_FOUND'],
  ['/v1/auth_metadata', 'M_UNRECOGNIZED'],
  ['/unstable/org.matrix.msc2965/auth_metadata', 'M_UNRECOGNIZED'],
  ['/unstable/org.matrix.msc2965/auth_issuer', 'M_UNRECOGNIZED'],
])('%s says that there is no such way of logging in', async (path, errcode) => {
  const { stranger } = await house()
  expect(await stranger.answer('GET', path)).toMatchObject({ status: 404, body: { errcode } })
})
