import { describe, expect, test } from 'bun:test'
import { LONGEST_TYPING_MS } from '#actors/room/typing.ts'
import { room } from '#actors/room/room.ts'
import { NOW } from '#harness/given.ts'
import { ALICE, BOB, den, join } from './den.ts'

const types = (userId: typeof ALICE | typeof BOB, timeoutMs: number) => ({ kind: 'setTyping', userId, timeoutMs }) as const
const ring = (roomId: string, volatile: string[]) => ({ kind: 'ring', about: 'typing', room: roomId, volatile })

describe('setTyping', () => {
  test('is a note, tells the room who types, and looks again when the time is up', () => {
    const both = den().and(join(BOB)).and(types(ALICE, 9_000))
    const { facts, notes, effects } = both.when(types(BOB, 4_000))
    expect(facts).toEqual([])
    expect(notes).toEqual([{ kind: 'typingChanged', userId: BOB, until: NOW + 4_000 }])
    expect(effects).toEqual([ring(both.memory.roomId, [ALICE, BOB]), { kind: 'after', ms: 4_001, command: { kind: 'typingDue' } }] as never)
  })

  test('lasts two minutes at most', () => {
    expect(den().when(types(ALICE, 10 * LONGEST_TYPING_MS)).notes).toEqual([{ kind: 'typingChanged', userId: ALICE, until: NOW + LONGEST_TYPING_MS }])
  })

  test('keeps the room awake until nobody types', () => {
    const typing = den().and(types(ALICE, 4_000))
    expect(room.mayRest?.(typing.memory)).toBe(false)
    expect(room.mayRest?.(typing.and({ kind: 'typingDue' }, NOW + 4_000).memory)).toBe(true)
    expect(room.mayRest?.(typing.and(types(ALICE, 0)).memory)).toBe(true)
  })

  test('is refused to strangers', () => {
    expect(den().when(types(BOB, 1))).toMatchObject({ refused: 'M_FORBIDDEN' })
  })
})

describe('typingDue', () => {
  test('G-89: ends those whose time is up and no others', () => {
    const both = den().and(join(BOB)).and(types(ALICE, 9_000)).and(types(BOB, 4_000))
    expect(both.when({ kind: 'typingDue' }, NOW + 4_000)).toMatchObject({
      notes: [{ kind: 'typingChanged', userId: BOB, until: 0 }], effects: [ring(both.memory.roomId, [ALICE])],
    } as never)
    expect(both.when({ kind: 'typingDue' }, NOW + 3_999)).toMatchObject({ notes: [], effects: [] })
  })
})
