import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { findRefreshToken, findSession } from '#store/access-tokens.ts'

const LIFETIMES = { accessMs: 1_000, refreshMs: null, sessionMs: null }
const start = { kind: 'startSession', displayName: null, isRefreshable: true, lifetimes: LIFETIMES, ipAddress: null, userAgent: null } as const

describe('findSession', () => {
  test('knows whose token it is, and nobody for another', async () => {
    const { server, alice, close } = await house()
    expect(findSession(server.store, alice.token)).toEqual({
      userId: alice.userId,
      deviceId: deviceIdOf(alice.deviceId),
      isGuest: false,
      isAdmin: false,
      isLocked: false,
      isSuspended: false,
      isDeactivated: false,
      expiresTs: null,
      isNew: false,
    })
    expect(findSession(server.store, `${alice.token}x`)).toBeUndefined()
    await close()
  })

  test('keeps no token in the database', async () => {
    const { server, alice, close } = await house()
    const texts = server.store.db.query("SELECT hex(token_hash) AS hash FROM access_tokens UNION SELECT hex(fact) FROM journal").values().flat().join(' ')
    expect(texts).not.toContain(Buffer.from(alice.token).toString('hex').toUpperCase())
    await close()
  })

  test('says in what standing the account is', async () => {
    const { server, alice, close } = await house()
    await server.user(alice.userId).ask({ kind: 'setAdmin', isAdmin: true }, 'test')
    await server.user(alice.userId).ask({ kind: 'lockUser', isLocked: true }, 'test')
    await server.user(alice.userId).ask({ kind: 'suspendUser', isSuspended: true }, 'test')
    expect(findSession(server.store, alice.token)).toMatchObject({ isAdmin: true, isLocked: true, isSuspended: true })
    await close()
  })

  test('knows no session of a deactivated account', async () => {
    const { server, alice, close } = await house()
    await server.user(alice.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
    expect(findSession(server.store, alice.token)).toBeUndefined()
    await close()
  })

  test('a new login on the same device makes the old token void', async () => {
    const { server, alice, login, close } = await house()
    const again = await login(alice.userId, alice.deviceId)
    expect(findSession(server.store, alice.token)).toBeUndefined()
    expect(findSession(server.store, again.token)).toMatchObject({ userId: alice.userId })
    await close()
  })

  test('the same device id of another user is another device', async () => {
    const { server, alice, bob, close } = await house()
    await server.device(bob.userId, deviceIdOf(alice.deviceId)).ask({ kind: 'endSession' }, 'test')
    expect(findSession(server.store, alice.token)).toMatchObject({ userId: alice.userId })
    expect(findSession(server.store, bob.token)).toBeUndefined()
    await close()
  })
})

describe('a refreshed session', () => {
  test('has two of each token until the new one is used', async () => {
    const clock = manualClock()
    const { server, alice, close } = await house({}, { clock })
    const device = server.device(alice.userId, deviceIdOf('LAPTOP'))
    const first = await device.ask(start, 'test')
    const second = await device.ask({ kind: 'refreshSession', refreshToken: first.refreshToken ?? '', lifetimes: LIFETIMES }, 'test')
    const known = () => [
      findSession(server.store, first.accessToken)?.isNew,
      findSession(server.store, second.accessToken)?.isNew,
      findRefreshToken(server.store, first.refreshToken ?? '')?.deviceId,
      findRefreshToken(server.store, second.refreshToken ?? '')?.deviceId,
    ] as unknown[]
    expect(known()).toEqual([false, true, 'LAPTOP', 'LAPTOP'])
    await device.ask({ kind: 'confirmSession', accessToken: second.accessToken }, 'test')
    expect(known()).toEqual([undefined, false, undefined, 'LAPTOP'])
    expect(findSession(server.store, second.accessToken)?.expiresTs).toBe(clock.now() + 1_000)
    await close()
  })

  test('leaves nothing when it ends', async () => {
    const { server, alice, close } = await house()
    const device = server.device(alice.userId, deviceIdOf('LAPTOP'))
    const { accessToken, refreshToken } = await device.ask(start, 'test')
    await device.ask({ kind: 'endSession' }, 'test')
    expect(findSession(server.store, accessToken)).toBeUndefined()
    expect(findRefreshToken(server.store, refreshToken ?? '')).toBeUndefined()
    await close()
  })
})
