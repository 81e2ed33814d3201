import { describe, expect, test } from 'bun:test'
import { device } from '#actors/device/device.ts'
import { DEVICE_NAME_LIMIT } from '#actors/device/devices.ts'
import type { SessionTokens } from '#actors/device/login.ts'
import { sha256Base64 } from '#core/digest.ts'
import { given, NOW } from '#harness/given.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import type { SessionStarted } from '#schema/journal/device.ts'

const userId = '@al/ice:a.example'
const deviceId = deviceIdOf('PH/ONE')
const FOR_EVER = { accessMs: null, refreshMs: null, sessionMs: null }
const SHORT = { accessMs: 1_000, refreshMs: 5_000, sessionMs: 9_000 }
const start = {
  kind: 'startSession', displayName: 'Phone', isRefreshable: false, lifetimes: FOR_EVER, ipAddress: '192.0.2.1', userAgent: 'test',
} as const
const phone = given(device, `${userId}/${deviceId}`)

const tokensOf = (outcome: { reply: unknown }) => outcome.reply as SessionTokens
const started = (facts: readonly { kind: string }[]) => facts.find((fact): fact is SessionStarted => fact.kind === 'sessionStarted')

describe('startSession', () => {
  test('makes the device and gives out a token of which only the hash is kept', () => {
    const outcome = phone.when(start)
    const { accessToken } = tokensOf(outcome)
    expect(outcome.reply).toEqual({ accessToken, refreshToken: null, expiresInMs: null })
    expect(outcome.facts).toEqual([
      {
        kind: 'sessionStarted',
        userId,
        deviceId,
        displayName: 'Phone',
        tokens: { accessHash: sha256Base64(accessToken), accessExpiresTs: null, refreshHash: null, refreshExpiresTs: null },
        endsTs: null,
        ts: NOW,
        ipAddress: '192.0.2.1',
        userAgent: 'test',
      },
    ])
  })

  test('keeps the name of a device that is there', () => {
    expect(started(phone.and(start).when({ ...start, displayName: 'Other' }).facts)).toMatchObject({ displayName: 'Phone' })
  })

  test('shortens a name that is too long', () => {
    const displayName = 'x'.repeat(DEVICE_NAME_LIMIT + 1)
    expect(started(phone.when({ ...start, displayName }).facts)).toMatchObject({ displayName: displayName.slice(1) })
  })

  test('gives refresh tokens that cannot be told from access tokens', () => {
    const { accessToken, refreshToken, expiresInMs } = tokensOf(phone.when({ ...start, isRefreshable: true, lifetimes: SHORT }))
    expect(accessToken).toMatch(/^wrn_[\w-]{43}$/)
    expect(refreshToken).toMatch(/^wrr_[\w-]{43}$/)
    expect(refreshToken?.slice(4)).not.toBe(accessToken.slice(4))
    expect(expiresInMs).toBe(1_000)
  })

  test('no token outlives the session', () => {
    const lifetimes = { accessMs: 60_000, refreshMs: null, sessionMs: 9_000 }
    expect(started(phone.when({ ...start, isRefreshable: true, lifetimes }).facts)).toMatchObject({
      tokens: { accessExpiresTs: NOW + 9_000, refreshExpiresTs: NOW + 9_000 },
      endsTs: NOW + 9_000,
    })
  })
})

describe('refreshSession', () => {
  const command = { ...start, isRefreshable: true, lifetimes: SHORT }
  const first = tokensOf(phone.when(command))
  const loggedIn = phone.and(command)
  const refresh = (tokens: SessionTokens) => ({ kind: 'refreshSession', refreshToken: tokens.refreshToken ?? '', lifetimes: SHORT }) as const
  const second = tokensOf(loggedIn.when(refresh(first), NOW + 1))
  const refreshed = loggedIn.and(refresh(first), NOW + 1)

  test('gives new tokens and keeps the old ones until one of them is used', () => {
    expect(loggedIn.when(refresh(first), NOW + 1)).toMatchObject({
      facts: [{
        kind: 'sessionRefreshed',
        tokens: { accessHash: sha256Base64(second.accessToken), refreshHash: sha256Base64(second.refreshToken ?? '') },
        previous: { accessHash: sha256Base64(first.accessToken), refreshHash: sha256Base64(first.refreshToken ?? '') },
      }],
      reply: { expiresInMs: 1_000 },
    })
  })

  test('works again with the old token for a client that lost the answer', () => {
    expect(refreshed.when(refresh(first), NOW + 2)).toMatchObject({
      facts: [{ previous: { refreshHash: sha256Base64(first.refreshToken ?? '') } }],
    })
  })

  test('the new access token, once used, makes the old refresh token void', () => {
    const confirm = { kind: 'confirmSession', accessToken: second.accessToken } as const
    expect(refreshed.when(confirm).facts).toMatchObject([{ kind: 'sessionConfirmed' }])
    const confirmed = refreshed.and(confirm)
    expect(confirmed.when(refresh(first)).refused).toBe('M_UNKNOWN_TOKEN')
    expect(confirmed.when(refresh(second)).refused).toBeUndefined()
    expect(confirmed.when(confirm).facts).toEqual([])
  })

  test('the new refresh token, once used, makes the old one void', () => {
    const third = refreshed.and(refresh(second), NOW + 2)
    expect(third.when(refresh(first)).refused).toBe('M_UNKNOWN_TOKEN')
  })

  test('an access token that is not the newest confirms nothing', () => {
    expect(refreshed.when({ kind: 'confirmSession', accessToken: first.accessToken }).facts).toEqual([])
  })

  test.each([
    ['a token that was not used in time', SHORT, 5_000],
    ['a session that is over', { ...SHORT, refreshMs: null }, 9_000],
  ])('refuses %s', (_says, lifetimes, ms) => {
    const history = phone.and({ ...command, lifetimes })
    expect(history.when(refresh(first), NOW + ms - 1).refused).toBeUndefined()
    expect(history.when(refresh(first), NOW + ms)).toMatchObject({
      refused: 'M_UNKNOWN_TOKEN', why: 'This refresh token has expired: log in again',
    })
  })

  test('a new login makes all earlier tokens void', () => {
    expect(refreshed.and(start).when(refresh(second)).refused).toBe('M_UNKNOWN_TOKEN')
  })
})
