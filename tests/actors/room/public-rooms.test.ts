import { expect, test } from 'bun:test'
import { room } from '#actors/room/room.ts'
import { given } from '#harness/given.ts'
import { ALICE, BOB, den, join } from './den.ts'

const publish = { kind: 'setRoomVisibilityOnDirectory', userId: ALICE, isAdmin: false, isPublished: true } as const

test('publishing is recorded once', () => {
  const closed = den()
  expect(closed.when(publish).facts).toEqual([{ kind: 'roomPublished', roomId: closed.memory.roomId, isPublished: true }])
  expect(closed.and(publish).when(publish).facts).toEqual([])
})

test('it takes the power to name the room, or to run the server', () => {
  const both = den().and(join(BOB))
  expect(both.when({ ...publish, userId: BOB })).toMatchObject({ refused: 'M_FORBIDDEN' })
  expect(both.when({ ...publish, userId: BOB, isAdmin: true }).facts).toHaveLength(1)
  expect(given(room, '!none').when(publish)).toMatchObject({ refused: 'M_NOT_FOUND' })
})
