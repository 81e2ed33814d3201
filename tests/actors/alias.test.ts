import { describe, expect, test } from 'bun:test'
import { alias } from '#actors/alias/alias.ts'
import { given } from '#harness/given.ts'

const name = '#lobby:a.example'
const set = { kind: 'setRoomAlias', roomId: '!den', creator: '@alice:a.example' } as const
const free = given(alias, name)
const taken = free.and(set)

describe('setRoomAlias', () => {
  test('names the room', () => {
    expect(free.when(set).facts).toEqual([{ kind: 'roomAliasSet', alias: name, roomId: '!den', creator: '@alice:a.example' }])
  })

  test('refuses an alias that names a room, even the same one', () => {
    expect(taken.when(set)).toMatchObject({ refused: 'M_UNKNOWN', facts: [] })
  })

  test('takes a name that has become free', () => {
    const again = taken.and({ kind: 'deleteRoomAlias', userId: '@alice:a.example', mayDeleteAny: false })
    expect(again.when(set).refused).toBeUndefined()
  })
})

describe('deleteRoomAlias', () => {
  test.each([
    ['whoever made it', '@alice:a.example', false],
    ['whoever has the power', '@bob:a.example', true],
  ] as const)('obeys %s', (_says, userId, mayDeleteAny) => {
    expect(taken.when({ kind: 'deleteRoomAlias', userId, mayDeleteAny })).toMatchObject({
      facts: [{ kind: 'roomAliasDeleted', alias: name }],
      reply: { roomId: '!den' },
    })
  })

  test('refuses others, and an alias that is not there', () => {
    const remove = { kind: 'deleteRoomAlias', userId: '@mallory:a.example', mayDeleteAny: false } as const
    expect(taken.when(remove).refused).toBe('M_FORBIDDEN')
    expect(free.when(remove).refused).toBe('M_NOT_FOUND')
  })
})

describe('moveRoomAlias', () => {
  const move = { kind: 'moveRoomAlias', from: '!den', to: '!hall', creator: '@bob:a.example' } as const

  test('hands the name on', () => {
    expect(taken.and(move).memory).toEqual({ alias: name, target: { roomId: '!hall', creator: '@bob:a.example' } })
  })

  test('refuses when it names another room by now', () => {
    expect(taken.when({ ...move, from: '!attic' }).refused).toBe('M_NOT_FOUND')
  })
})

test('a snapshot gives the same memory back', () => {
  const frozen = JSON.parse(JSON.stringify(alias.snapshot.freeze(taken.memory))) as never
  expect(alias.snapshot.thaw(frozen, name)).toEqual(taken.memory)
})
