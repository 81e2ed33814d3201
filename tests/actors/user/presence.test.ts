import { describe, expect, test } from 'bun:test'
import { user } from '#actors/user/user.ts'
import { given, NOW } from '#harness/given.ts'

const userId = '@alice:a.example'
const timers = { onlineMs: 30_000, idleMs: 300_000, activeMs: 60_000 }
const alice = given(user, userId, { kind: 'userRegistered', userId, passwordHash: null, isAdmin: false, isGuest: false, ts: 1 })

const sync = (deviceId: string, presence: 'online' | 'unavailable' | 'offline' = 'online', forMs = 60_000) =>
  ({ kind: 'noticeSync', deviceId, presence, forMs, timers }) as const
const set = (deviceId: string, presence: 'online' | 'unavailable' | 'offline' | 'busy', statusMsg: string | null = null) =>
  ({ kind: 'setPresence', deviceId, presence, statusMsg, timers }) as const
const due = { kind: 'presenceDue' } as const

const ring = (presence: string, lastActiveTs: number | null = NOW, statusMsg: string | null = null) =>
  ({ kind: 'ring', about: 'presence', users: [userId], volatile: { presence, statusMsg, lastActiveTs } })
const timer = (ms: number) => ({ kind: 'after', ms: ms + 1, command: due })

describe('a sync', () => {
  test('makes its user online, by a note and no fact, and looks again when it should be over', () => {
    expect(alice.when(sync('PHONE'))).toMatchObject({ facts: [], effects: [ring('online'), timer(60_000)] as never })
  })

  test('that goes on tells nobody and sets no second timer', () => {
    expect(alice.and(sync('PHONE')).when(sync('PHONE'), NOW + 30_000).effects).toEqual([])
  })

  test('as offline changes nothing', () => {
    expect(alice.when(sync('PHONE', 'offline'))).toMatchObject({ notes: [], effects: [] })
  })

  test('that is over leaves its user offline', () => {
    const gone = alice.and(sync('PHONE')).when(due, NOW + 60_001)
    expect(gone.effects).toEqual([ring('offline')] as never)
    expect(user.mayRest?.(alice.and(sync('PHONE')).memory)).toBe(false)
    expect(user.mayRest?.(alice.and(sync('PHONE')).and(due, NOW + 60_001).memory)).toBe(true)
  })

  test('that goes on for long leaves its user unavailable, and an activity brings them back', () => {
    const long = alice.and(sync('PHONE', 'online', 1_000_000))
    expect(long.when(due, NOW + 300_001).effects).toEqual([ring('unavailable'), timer(1_000_000 - 300_001)] as never)
    const idle = long.and(due, NOW + 300_001)
    expect(idle.when({ kind: 'noticeActivity', deviceId: 'PHONE', timers }, NOW + 400_000).effects[0]).toEqual(ring('online', NOW + 400_000) as never)
    expect(idle.when({ kind: 'noticeActivity', deviceId: 'OTHER', timers }, NOW + 400_000).effects).toEqual([])
  })

  test('does not end being busy', () => {
    const busy = alice.and(sync('PHONE')).and(set('PHONE', 'busy'))
    expect(busy.when(sync('PHONE')).effects).toEqual([])
  })
})

describe('G-88: of several devices', () => {
  test('any that is in use counts', () => {
    const both = alice.and(sync('PHONE', 'unavailable')).and(sync('LAPTOP'))
    expect(both.memory.presence.shown).toBe('online')
    expect(both.when(set('LAPTOP', 'offline')).effects).toEqual([ring('unavailable')] as never)
    expect(both.when(set('PHONE', 'busy')).effects[0]).toEqual(ring('busy') as never)
  })
})

describe('setPresence', () => {
  test('says what the user says, with a message', () => {
    expect(alice.when(set('PHONE', 'unavailable', 'at lunch')).effects[0]).toEqual(ring('unavailable', NOW, 'at lunch') as never)
  })

  test('lasts no longer than a sync would where nothing syncs', () => {
    const set30 = alice.and(set('PHONE', 'online'))
    expect(set30.when(due, NOW + 29_999).effects.filter(({ kind }) => kind === 'ring')).toEqual([])
    expect(set30.when(due, NOW + 30_001).effects).toEqual([ring('offline')] as never)
  })

  test('tells of the first activity after a pause, and not of each', () => {
    const there = alice.and(sync('PHONE', 'online', 1_000_000))
    expect(there.when(set('PHONE', 'online'), NOW + 59_999).effects).toEqual([])
    expect(there.when(set('PHONE', 'online'), NOW + 60_000).effects[0]).toEqual(ring('online', NOW + 60_000) as never)
  })

  test('is passed over for accounts that are not there', () => {
    expect(given(user, userId).when(set('PHONE', 'online'))).toMatchObject({ notes: [], effects: [] })
  })
})
