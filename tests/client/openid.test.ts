import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { OPENID_TOKEN_MS } from '#actors/user/openid.ts'
import { house } from '#harness/house.ts'
import { done } from '#harness/rooms.ts'
import { findOpenIdHolder } from '#store/issued-tokens.ts'

const path = (userId: string): string => `/v3/user/${userId}/openid/request_token`

describe('an OpenID token', () => {
  test('says for an hour who its bearer is', async () => {
    const clock = manualClock()
    const { server, alice } = await house({}, { clock })
    const issued = await done(alice, 'POST', path(alice.userId), {})
    expect(issued).toEqual({ access_token: expect.any(String), token_type: 'Bearer', matrix_server_name: 'a.example', expires_in: 3_600 })
    const token = String(issued.access_token)
    const holder = () => findOpenIdHolder(server.store, token, clock.now())
    expect(holder()).toBe(alice.userId)
    clock.advance(OPENID_TOKEN_MS - 1)
    expect(holder()).toBe(alice.userId)
    clock.advance(1)
    expect(holder()).toBeUndefined()
    await done(alice, 'POST', path(alice.userId), {})
    expect(server.store.db.query('SELECT count(*) AS total FROM openid_tokens').get()).toEqual({ total: 1 })
  })

  test('is no access token, and counts no more once the account is gone', async () => {
    const { server, alice } = await house()
    const { access_token: token } = await done(alice, 'POST', path(alice.userId), {})
    expect(server.session(String(token))).toBeUndefined()
    await server.user(alice.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
    expect(findOpenIdHolder(server.store, String(token), 0)).toBeUndefined()
  })

  test('is given to its owner only', async () => {
    const { alice, bob, stranger } = await house()
    expect(await alice.answer('POST', path(bob.userId), {})).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect((await stranger.answer('POST', path(bob.userId), {})).status).toBe(401)
  })
})
