import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { findMemberProfile, findProfile, findProfileField, hasSharedRoom } from '#store/profiles.ts'

test('a profile is read back as it was written', async () => {
  const { server, alice, close } = await house()
  const user = server.user(alice.userId)
  await user.ask({ kind: 'setProfileField', field: 'displayname', value: 'Alice' }, 'test')
  await user.ask({ kind: 'setProfileField', field: 'org.example.pets', value: [{ name: 'Rex' }, null] }, 'test')
  await user.ask({ kind: 'setProfileField', field: 'org.example.pets', value: null }, 'test')
  expect(findProfile(server.store, alice.userId)).toEqual(new Map<string, never>([['displayname', 'Alice' as never], ['org.example.pets', null as never]]))
  expect(findProfileField(server.store, alice.userId, 'org.example.pets')).toBeNull()
  expect(findProfileField(server.store, alice.userId, 'm.tz')).toBeUndefined()
  expect(findMemberProfile(server.store, alice.userId)).toEqual({ displayname: 'Alice' })
  await user.ask({ kind: 'deleteProfileField', field: 'displayname' }, 'test')
  expect(findMemberProfile(server.store, alice.userId)).toEqual({})
  await close()
})

test('a deactivated account has no profile', async () => {
  const { server, register, close } = await house()
  const carol = await register('carol', { displayname: 'Carol' })
  expect(findProfile(server.store, carol.userId).size).toBe(1)
  await server.user(carol.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
  expect(findProfile(server.store, carol.userId).size).toBe(0)
  await close()
})

test('strangers share no room', async () => {
  const { server, alice, bob, close } = await house()
  expect(hasSharedRoom(server.store, alice.userId, bob.userId)).toBe(false)
  expect(hasSharedRoom(server.store, alice.userId, '@nobody:a.example')).toBe(false)
  await close()
})
