import { describe, expect, test } from 'bun:test'
import { POSTED_PRESENCES, presenceBoard, presenceContent, REMEMBERED_CHANGES, type ShownPresence } from '#core/presence-board.ts'

const online: ShownPresence = { presence: 'online', statusMsg: null, lastActiveTs: 1_000 }

describe('the board', () => {
  test('tells whose presence changed after a point, the newest first, each once', () => {
    const board = presenceBoard()
    board.post('@alice:a.example', online, 1)
    board.post('@bob:a.example', online, 2)
    board.post('@alice:a.example', { ...online, presence: 'offline' }, 3)
    expect(board.changedSince(0)).toEqual(['@alice:a.example', '@bob:a.example'])
    expect(board.changedSince(2)).toEqual(['@alice:a.example'])
    expect(board.changedSince(3)).toEqual([])
    expect(board.newest(1)).toEqual(['@alice:a.example'])
    expect(board.find('@alice:a.example')).toEqual({ ...online, presence: 'offline', volatile: 3 })
  })

  test('shows everyone to who missed more changes than it remembers', () => {
    const board = presenceBoard()
    for (let at = 1; at <= 2 * REMEMBERED_CHANGES + 1; at++) board.post(`@u${at % 50}:a.example`, online, at)
    expect(board.changedSince(1)).toHaveLength(50)
    expect(board.changedSince(2 * REMEMBERED_CHANGES)).toHaveLength(1)
  })

  test('forgets whose presence changed longest ago when it is full', () => {
    const board = presenceBoard()
    for (let at = 0; at <= POSTED_PRESENCES; at++) board.post(`@u${at}:a.example`, online, at)
    expect([board.find('@u0:a.example'), board.find('@u1:a.example')?.volatile]).toEqual([undefined, 1])
  })

  test('G-88: names those of other servers from whom there was no news in time', () => {
    const board = presenceBoard()
    board.post('@charlie:b.example', { ...online, expiresTs: 5_000 }, 1)
    board.post('@alice:a.example', online, 2)
    expect([board.expired(4_999), board.expired(5_000)]).toEqual([[], ['@charlie:b.example']])
  })
})

describe('what is shown', () => {
  test.each([
    ['G-88: counts the time since the last activity when it is sent', online, 31_000, { presence: 'online', last_active_ago: 30_000, currently_active: true }],
    ['someone online who did nothing for a while is not active', online, 61_001, { presence: 'online', last_active_ago: 60_001, currently_active: false }],
    ['who is unavailable says nothing of being active', { ...online, presence: 'unavailable', statusMsg: 'tea' }, 2_000, { presence: 'unavailable', last_active_ago: 1_000, status_msg: 'tea' }],
    ['who was never seen has no last time', { presence: 'offline', statusMsg: null, lastActiveTs: null }, 2_000, { presence: 'offline' }],
  ] as const)('%s', (_says, shown, now, content) => {
    expect(presenceContent(shown, now, 60_000)).toEqual(content)
  })
})
