import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { findRegistrationToken, isUsable, listRegistrationTokens } from '#store/registration-tokens.ts'

test('a token counts its uses and keeps them when its terms change', async () => {
  const { server, close } = await house()
  const { registration } = server
  await registration.ask({ kind: 'createRegistrationToken', token: 'secret', usesAllowed: 2, expiresTs: null }, 'test')
  await registration.ask({ kind: 'claimRegistrationToken', token: 'secret', session: 's1' }, 'test')
  await registration.ask({ kind: 'spendRegistrationToken', session: 's1' }, 'test')
  await registration.ask({ kind: 'updateRegistrationToken', token: 'secret', expiresTs: 5 }, 'test')
  const row = { token: 'secret', usesAllowed: 2, completed: 1, expiresTs: 5 }
  expect(findRegistrationToken(server.store, 'secret')).toEqual(row)
  expect(listRegistrationTokens(server.store)).toEqual([row])
  await registration.ask({ kind: 'deleteRegistrationToken', token: 'secret' }, 'test')
  expect(findRegistrationToken(server.store, 'secret')).toBeUndefined()
  await close()
})

test.each([
  ['without terms', { usesAllowed: null, completed: 9, expiresTs: null }, true],
  ['with a use left', { usesAllowed: 2, completed: 1, expiresTs: null }, true],
  ['used up', { usesAllowed: 2, completed: 2, expiresTs: null }, false],
  ['at its end', { usesAllowed: null, completed: 0, expiresTs: 100 }, false],
  ['before its end', { usesAllowed: null, completed: 0, expiresTs: 101 }, true],
])('a token %s', (_says, terms, usable) => {
  expect(isUsable({ token: 'secret', ...terms }, 100)).toBe(usable)
})
