import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import type { Homeserver } from '#homeserver'
import { createAccount, newUserId } from '#http/new-account.ts'
import type { RoomAlias } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { findAlias } from '#store/aliases.ts'
import { findProfile } from '#store/profiles.ts'
import { findStateEvent } from '#store/room-state.ts'
import { findUser } from '#store/users.ts'

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof MatrixError) return error.errcode
    throw error
  }
}

describe('newUserId', () => {
  test.each([
    ['every character of the grammar', 'az09._=-/+', undefined],
    ['digits alone', '1234', undefined],
    ['G-77: capitals', 'Carol', 'M_INVALID_USERNAME'],
    ['nothing', '', 'M_INVALID_USERNAME'],
    ['other characters', 'cärol', 'M_INVALID_USERNAME'],
    ['a colon', 'carol:b.example', 'M_INVALID_USERNAME'],
    ['a name that is kept for application services', '_bridge', 'M_INVALID_USERNAME'],
    ['a name that fits just so', 'x'.repeat(255 - '@:a.example'.length), undefined],
    ['a name that is too long', 'x'.repeat(256 - '@:a.example'.length), 'M_INVALID_USERNAME'],
    ['a name that is taken', 'alice', 'M_USER_IN_USE'],
  ])('%s', async (_says, localpart, code) => {
    const { server, close } = await house()
    expect(codeOf(() => newUserId(server, localpart))).toBe(code)
    await close()
  })

  test('allow_underscore_prefixed_registration opens those names to all', async () => {
    const { server, close } = await house({ allow_underscore_prefixed_registration: true })
    expect(newUserId(server, '_bridge')).toBe('@_bridge:a.example')
    await close()
  })
})

describe('createAccount', () => {
  test('makes up a name where none is given', async () => {
    const { server, close } = await house()
    const userId = await createAccount(server, { localpart: null, password: null }, 'test')
    expect(userId).toMatch(/^@[a-z2-9]{12}:a\.example$/)
    expect(findProfile(server.store, userId).size).toBe(0)
    await close()
  })

  test('gives name, password and rank', async () => {
    const { server, close } = await house()
    const userId = await createAccount(server, { localpart: 'carol', password: 'x', isAdmin: true, displayname: 'Carol' }, 'test')
    expect(findUser(server.store, userId)).toMatchObject({ isAdmin: true, isGuest: false })
    expect(findProfile(server.store, userId)).toEqual(new Map<string, never>([['displayname', 'Carol' as never]]))
    await close()
  })

  test('of two at once only one gets the name', async () => {
    const { server, close } = await house()
    const outcomes = await Promise.allSettled([1, 2].map(() => createAccount(server, { localpart: 'carol', password: null }, 'test')))
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await close()
  })

  test('a room of auto_join_rooms that is not there keeps nobody out', async () => {
    const { server, close } = await house({ auto_join_rooms: ['#lobby:a.example'] })
    expect(await createAccount(server, { localpart: 'carol', password: null }, 'test')).toBe('@carol:a.example')
    await close()
  })
})

describe('auto_join_rooms', () => {
  const LOBBY: RoomAlias = '#lobby:a.example'
  const stateOf = (server: Homeserver, type: string, stateKey = ''): unknown =>
    findStateEvent(server.store, findAlias(server.store, LOBBY)?.roomId ?? '!none', type, stateKey)?.pdu.content
  const enter = (server: Homeserver, localpart: string, isGuest = false) =>
    createAccount(server, { localpart, password: null, isGuest }, 'test')
  const membership = (server: Homeserver, userId: string): unknown => (stateOf(server, 'm.room.member', userId) as { membership?: string } | undefined)?.membership

  test('are made with the first account, and joined by all that follow', async () => {
    const { server } = await house({ auto_join_rooms: [LOBBY] }, { isNew: false })
    const [first, second] = [await enter(server, 'first'), await enter(server, 'second')]
    expect(stateOf(server, 'm.room.create')).toEqual({ room_version: '12' })
    expect(stateOf(server, 'm.room.join_rules')).toEqual({ join_rule: 'public' })
    expect([membership(server, first), membership(server, second)]).toEqual(['join', 'join'])
  })

  test('are closed to other servers, and of another preset, where the configuration says so', async () => {
    const { server } = await house({
      auto_join_rooms: [LOBBY], autocreate_auto_join_rooms_federated: false, autocreate_auto_join_room_preset: 'private_chat',
      auto_join_mxid_localpart: 'host',
    }, { isNew: false })
    const [host, second] = [await enter(server, 'host'), await enter(server, 'second')]
    expect(stateOf(server, 'm.room.create')).toMatchObject({ 'm.federate': false })
    expect(stateOf(server, 'm.room.join_rules')).toEqual({ join_rule: 'invite' })
    expect([membership(server, host), membership(server, second)]).toEqual(['join', 'join'])
  })

  test.each([
    ['autocreate_auto_join_rooms is off', { autocreate_auto_join_rooms: false }, { isNew: false }],
    ['there are accounts already', {}, { isNew: true }],
  ])('are not made when %s', async (_says, options, how) => {
    const { server } = await house({ auto_join_rooms: [LOBBY], ...options }, how)
    await enter(server, 'carol')
    expect(findAlias(server.store, LOBBY)).toBeUndefined()
  })

  test('take guests only where they may', async () => {
    for (const [allowed, expected] of [[true, 'join'], [false, undefined]] as const) {
      const { server } = await house({ auto_join_rooms: [LOBBY], auto_join_rooms_for_guests: allowed }, { isNew: false })
      await enter(server, 'first')
      expect(membership(server, await enter(server, 'gast', true))).toBe(expected as never)
    }
  })
})
