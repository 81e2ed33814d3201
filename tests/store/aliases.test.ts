import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { findAlias, listAliasesOf } from '#store/aliases.ts'

const [lobby, attic] = ['#lobby:a.example', '#attic:a.example'] as const
const creator = '@alice:a.example'

test('a room has several aliases, an alias one room', async () => {
  const { server, close } = await house()
  for (const name of [lobby, attic]) await server.alias(name).ask({ kind: 'setRoomAlias', roomId: '!den', creator }, 'test')
  expect(findAlias(server.store, lobby)).toEqual({ roomId: '!den', creator })
  expect(listAliasesOf(server.store, '!den')).toEqual([attic, lobby])
  await server.alias(lobby).ask({ kind: 'moveRoomAlias', from: '!den', to: '!hall', creator }, 'test')
  await server.alias(attic).ask({ kind: 'deleteRoomAlias', userId: creator, mayDeleteAny: false }, 'test')
  expect(findAlias(server.store, lobby)?.roomId).toBe('!hall')
  expect(findAlias(server.store, attic)).toBeUndefined()
  expect(listAliasesOf(server.store, '!den')).toEqual([])
  await close()
})
