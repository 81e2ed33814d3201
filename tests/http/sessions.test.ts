import { describe, expect, test } from 'bun:test'
import { SEEN_MOVED_MS } from '#actors/device/devices.ts'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'
import { attachConnection } from '#http/connection.ts'
import { endSessions, lifetimesOf, logIn, newDeviceId, noteUse } from '#http/sessions.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { findRefreshToken, findSession } from '#store/access-tokens.ts'
import { findDevice, listDeviceIds } from '#store/devices.ts'

const requestFrom = (address: string): Request => {
  const request = new Request('http://a.example/', { headers: { 'user-agent': 'test' } })
  attachConnection(request, { address, isSecure: true, keepOpen: () => {} })
  return request
}

describe('logIn', () => {
  test('makes a device where none is named', async () => {
    const { server, alice, close } = await house()
    for (const deviceId of [undefined, null, '']) {
      const { device_id } = await logIn(server, { userId: alice.userId, deviceId, request: requestFrom('192.0.2.1'), cause: 'test' })
      expect(device_id).toMatch(/^[A-Z]{10}$/)
    }
    await close()
  })

  test('remembers from where', async () => {
    const { server, alice, close } = await house()
    await logIn(server, { userId: alice.userId, deviceId: 'TV', displayName: 'Telly', request: requestFrom('192.0.2.1'), cause: 'test' })
    expect(findDevice(server.store, alice.userId, deviceIdOf('TV'))).toMatchObject({
      displayName: 'Telly', lastSeenIp: '192.0.2.1', lastSeenUserAgent: 'test',
    })
    await close()
  })

  test('tokens last as long as the configuration says', async () => {
    const { server, alice, close } = await house({
      refreshable_access_token_lifetime: '10m', refresh_token_lifetime: '1d', nonrefreshable_access_token_lifetime: '2d',
    })
    const login = { userId: alice.userId, request: requestFrom('192.0.2.1'), cause: 'test' }
    expect(await logIn(server, { ...login, isRefreshable: true })).toMatchObject({ expires_in_ms: 600_000, refresh_token: expect.stringMatching(/^wrr_/) })
    const plain = await logIn(server, login)
    expect(plain.expires_in_ms).toBe(172_800_000)
    expect(plain).not.toHaveProperty('refresh_token')
    expect(lifetimesOf(server, true)).toEqual({ accessMs: 600_000, refreshMs: 86_400_000, sessionMs: null })
    await close()
  })
})

test('ids of devices are not given twice', () => {
  expect(new Set(Array.from({ length: 1_000 }, newDeviceId)).size).toBe(1_000)
})

test('sessions end everywhere but on one device', async () => {
  const { server, alice, login, close } = await house()
  for (const deviceId of ['TV', 'LAPTOP']) await login(alice.userId, deviceId)
  await endSessions(server, alice.userId, 'test', deviceIdOf('TV'))
  expect(listDeviceIds(server.store, alice.userId)).toEqual([deviceIdOf('TV')])
  await endSessions(server, alice.userId, 'test')
  expect(listDeviceIds(server.store, alice.userId)).toEqual([])
  await close()
})

describe('noteUse', () => {
  test('records now and then from where a device is used', async () => {
    const clock = manualClock()
    const { server, alice, close } = await house({}, { clock })
    const session = findSession(server.store, alice.token)
    if (!session) throw new Error('alice is not logged in')
    const seen = async (address: string) => {
      noteUse(server, session, alice.token, requestFrom(address))
      await server.settled()
      return findDevice(server.store, alice.userId, deviceIdOf('PHONE'))?.lastSeenIp
    }
    expect(await seen('192.0.2.1')).toBeNull()
    clock.advance(SEEN_MOVED_MS)
    expect(await seen('192.0.2.2')).toBe('192.0.2.2')
    expect(await seen('192.0.2.3')).toBe('192.0.2.2')
    await close()
  })

  test('the first use of a refreshed token makes those before it void', async () => {
    const { server, alice, close } = await house()
    const first = await logIn(server, { userId: alice.userId, deviceId: 'TV', isRefreshable: true, request: requestFrom('192.0.2.1'), cause: 'test' })
    const { accessToken } = await server.device(alice.userId, deviceIdOf('TV')).ask(
      { kind: 'refreshSession', refreshToken: first.refresh_token ?? '', lifetimes: lifetimesOf(server, true) }, 'test',
    )
    const session = findSession(server.store, accessToken)
    if (!session) throw new Error('the new token is unknown')
    expect(findRefreshToken(server.store, first.refresh_token ?? '')).toBeDefined()
    noteUse(server, session, accessToken, requestFrom('192.0.2.1'))
    await server.settled()
    expect(findRefreshToken(server.store, first.refresh_token ?? '')).toBeUndefined()
    expect(findSession(server.store, first.access_token)).toBeUndefined()
    await close()
  })
})
