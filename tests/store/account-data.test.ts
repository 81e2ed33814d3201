import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { findAccountData, findAccountDataJson, listAccountDataBetween, listAccountDataOf } from '#store/account-data.ts'

const den = '!den'

test('account data are found by room and type', async () => {
  const { server, alice, bob, close } = await house()
  const user = server.user(alice.userId)
  await user.ask({ kind: 'setAccountData', roomId: null, type: 'm.direct', content: { a: 1 } }, 'test')
  await user.ask({ kind: 'setAccountData', roomId: den, type: 'm.direct', content: { b: 1.5 } }, 'test')
  expect(findAccountData(server.store, alice.userId, null, 'm.direct')).toEqual({ a: 1 })
  expect(findAccountDataJson(server.store, alice.userId, den, 'm.direct')).toBe('{"b":1.5}')
  expect(findAccountData(server.store, alice.userId, '!hall', 'm.direct')).toBeUndefined()
  expect(findAccountData(server.store, bob.userId, null, 'm.direct')).toBeUndefined()
  await close()
})

test('what changed in a window is listed, what was deleted too', async () => {
  const { server, alice, close } = await house()
  const user = server.user(alice.userId)
  const start = server.store.db.query<{ at: number }, []>('SELECT max(position) AS at FROM journal').get()?.at ?? 0
  await user.ask({ kind: 'setAccountData', roomId: null, type: 'one', content: {} }, 'test')
  await user.ask({ kind: 'setAccountData', roomId: den, type: 'two', content: {} }, 'test')
  await user.ask({ kind: 'deleteAccountData', roomId: null, type: 'one' }, 'test')
  const rows = listAccountDataBetween(server.store, alice.userId, start, start + 10)
  expect(rows.map(({ roomId, type, json }) => [roomId, type, json])).toEqual([[den, 'two', '{}'], [null, 'one', null]])
  const [two] = rows
  expect(listAccountDataBetween(server.store, alice.userId, two?.position ?? 0, start + 10).map(({ type }) => type)).toEqual(['one'])
  expect(listAccountDataOf(server.store, alice.userId, null)).toEqual([])
  expect(listAccountDataOf(server.store, alice.userId, den).map(({ type }) => type)).toEqual(['two'])
  expect(findAccountData(server.store, alice.userId, null, 'one')).toBeUndefined()
  await close()
})

test('an account that ends takes its data along', async () => {
  const { server, alice, close } = await house()
  await server.user(alice.userId).ask({ kind: 'setAccountData', roomId: null, type: 'one', content: {} }, 'test')
  await server.user(alice.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
  expect(findAccountData(server.store, alice.userId, null, 'one')).toBeUndefined()
  await close()
})
