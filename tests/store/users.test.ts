import { expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'
import { countUsers, findPasswordHash, findUser, hasUser, listUsers } from '#store/users.ts'

test('an account is found as it stands', async () => {
  const clock = manualClock()
  const { server, alice, close } = await house({}, { clock })
  const plain = {
    userId: alice.userId, isAdmin: false, isGuest: false, isDeactivated: false, isErased: false, isLocked: false, isSuspended: false,
    createdTs: clock.now(),
  }
  expect(findUser(server.store, alice.userId)).toEqual(plain)
  await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: 'hash' }, 'test')
  expect(findPasswordHash(server.store, alice.userId)).toBe('hash')
  await server.user(alice.userId).ask({ kind: 'deactivateUser', isErased: true }, 'test')
  expect(findUser(server.store, alice.userId)).toEqual({ ...plain, isDeactivated: true, isErased: true })
  expect(findPasswordHash(server.store, alice.userId)).toBeNull()
  await server.user(alice.userId).ask({ kind: 'reactivateUser', passwordHash: 'new' }, 'test')
  expect(findUser(server.store, alice.userId)).toEqual(plain)
  expect(findPasswordHash(server.store, alice.userId)).toBe('new')
  await close()
})

test('who is not there is not found', async () => {
  const { server, close } = await house()
  expect(findUser(server.store, '@nobody:a.example')).toBeUndefined()
  expect(hasUser(server.store, '@nobody:a.example')).toBe(false)
  expect(findPasswordHash(server.store, '@nobody:a.example')).toBeNull()
  await close()
})

test('a guest who upgrades is a user with a password', async () => {
  const { server, register, close } = await house()
  const guest = await register('visitor', { isGuest: true })
  await server.user(guest.userId).ask({ kind: 'upgradeGuest', passwordHash: 'hash' }, 'test')
  expect(findUser(server.store, guest.userId)?.isGuest).toBe(false)
  expect(findPasswordHash(server.store, guest.userId)).toBe('hash')
  await close()
})

test('accounts are listed in pages, in the order of their names', async () => {
  const { server, register, close } = await house()
  for (const name of ['carol', 'dave']) await register(name)
  await server.user('@dave:a.example').ask({ kind: 'deactivateUser', isErased: false }, 'test')
  const names = (page: Partial<Parameters<typeof listUsers>[1]>) => {
    const { users, total } = listUsers(server.store, { from: 0, limit: 10, search: null, deactivated: false, ...page })
    return [users.map(({ userId }) => userId.slice(1, userId.indexOf(':'))).join(' '), total] as const
  }
  expect(names({})).toEqual(['alice bob carol', 3])
  expect(names({ deactivated: true })).toEqual(['alice bob carol dave', 4])
  expect(names({ from: 1, limit: 1 })).toEqual(['bob', 3])
  expect(names({ search: 'CAR' })).toEqual(['carol', 1])
  expect(countUsers(server.store)).toBe(3)
  await close()
})
