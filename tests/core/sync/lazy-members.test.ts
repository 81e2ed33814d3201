import { describe, expect, test } from 'bun:test'
import { forgetUnreceived, hasSeen, noneTold, noteSeen, REMEMBERED_DEVICES, REMEMBERED_MEMBERS, seenBy, type SeenMembers } from '#core/sync/lazy-members.ts'

const den = '!den:a.example'
const bob = '@bob:b.example'

describe('a member event that a device was told', () => {
  test('is known to it from the token on that came with it, and not to who never got that answer', () => {
    const told = noneTold()
    noteSeen(told, den, bob, { event: 7, at: 20 })
    expect([19, 20, 21].map((since) => hasSeen(told, den, bob, { event: 7, since }))).toEqual([false, true, true])
  })

  test('is not known to it for ever when it has asked once more from behind that token', () => {
    const told = noneTold()
    noteSeen(told, den, bob, { event: 7, at: 20 })
    noteSeen(told, den, '@alice:a.example', { event: 3, at: 10 })
    forgetUnreceived(told, 20)
    expect(hasSeen(told, den, bob, { event: 7, since: 30 })).toBe(true)
    forgetUnreceived(told, 19)
    expect(hasSeen(told, den, bob, { event: 7, since: 30 })).toBe(false)
    expect(hasSeen(told, den, '@alice:a.example', { event: 3, since: 30 })).toBe(true)
  })

  test('is not another one, nor that of another room', () => {
    const told = noneTold()
    noteSeen(told, den, bob, { event: 7, at: 20 })
    expect(hasSeen(told, den, bob, { event: 8, since: 30 })).toBe(false)
    expect(hasSeen(told, '!attic:a.example', bob, { event: 7, since: 30 })).toBe(false)
  })

  test(`is forgotten when there are more than ${REMEMBERED_MEMBERS}`, () => {
    const told = noneTold()
    for (let count = 0; count <= REMEMBERED_MEMBERS; count++) noteSeen(told, den, `@user${count}:a.example`, { event: count, at: 1 })
    expect(told.events.size).toBe(1)
  })
})

test(`what ${REMEMBERED_DEVICES} devices were told is remembered, and then that of the first is forgotten`, () => {
  const all: SeenMembers = new Map()
  const first = seenBy(all, 'device 0')
  expect(seenBy(all, 'device 0')).toBe(first)
  for (let count = 1; count <= REMEMBERED_DEVICES; count++) seenBy(all, `device ${count}`)
  expect([all.size, seenBy(all, 'device 0') === first]).toEqual([REMEMBERED_DEVICES, false])
})
