import { expect, test } from 'bun:test'
import { compileSlidingFilter, type FilterableRoom, type SlidingFilter } from '#core/sync/sliding-filter.ts'

const room = (more: Partial<FilterableRoom> = {}): FilterableRoom => ({
  isInvited: false,
  isDm: () => false,
  isEncrypted: () => false,
  roomType: () => null,
  name: () => '',
  tags: () => new Set(),
  isInSpace: () => false,
  ...more,
})

type Case = readonly [says: string, filter: object, room: object, passes: boolean]
const cases: readonly Case[] = [
  ['direct rooms only', { isDm: true }, { isDm: () => true }, true],
  ['no direct rooms', { isDm: false }, { isDm: () => true }, false],
  ['encrypted rooms only', { isEncrypted: true }, {}, false],
  ['invitations only', { isInvited: true }, { isInvited: true }, true],
  ['a type', { roomTypes: ['m.space'] }, { roomType: () => 'm.space' }, true],
  ['rooms without a type', { roomTypes: [null] }, {}, true],
  ['a type that is excluded as well', { roomTypes: ['m.space'], notRoomTypes: ['m.space'] }, { roomType: () => 'm.space' }, false],
  ['any of several tags', { tags: ['a', 'b'] }, { tags: () => new Set(['b']) }, true],
  ['a tag, and another that is excluded', { tags: ['a'], notTags: ['b'] }, { tags: () => new Set(['a', 'b']) }, false],
  ['any of several spaces', { spaces: ['!x:a', '!y:a'] }, { isInSpace: (space: string) => space === '!y:a' }, true],
  ['a part of the name', { nameLike: 'DE' }, { name: () => 'the den' }, true],
  ['all conditions at once', { isDm: false, isEncrypted: true }, { isDm: () => false }, false],
]
test.each(cases)('a filter for %s', (_says, filter, more, passes) => {
  expect(compileSlidingFilter(filter as SlidingFilter)?.(room(more as Partial<FilterableRoom>))).toBe(passes)
})

test('a filter without conditions is none', () => {
  expect([compileSlidingFilter(undefined), compileSlidingFilter({}), compileSlidingFilter({ isDm: undefined })]).toEqual([undefined, undefined, undefined])
})

test('a room is asked only what matters', () => {
  const silent = room({ isDm: () => { throw new Error('asked') } })
  expect(compileSlidingFilter({ isEncrypted: false })?.(silent)).toBe(true)
})
