import { describe, expect, test } from 'bun:test'
import {
  type Connection, countMark, groupSent, isDurable, LIVE, newConnection, newMove, noteSent, placeOfWish, type ProfilesMove, resume, type SentRoom,
} from '#core/sync/connection.ts'

const sent = (more: Partial<SentRoom> = {}): SentRoom => ({ sent: LIVE, covered: 1, wish: 0, receipts: LIVE, accountData: LIVE, isDm: false, ...more })

/** A connection whose newest answer has sent `!one:a`. */
function answered(): Connection {
  const connection = newConnection('s')
  const move = newMove(connection)
  noteSent(connection, move, '!one:a', sent({ wish: placeOfWish(connection, move, 'w') }))
  move.members.set('!one:a @bob:a', 7)
  connection.pending = { ...move, version: 1, pos: 'p1' }
  return connection
}

describe('a connection', () => {
  test('takes in what was sent when the client shows that it has arrived', () => {
    const connection = answered()
    expect(resume(connection, 1, 'p1')).toBe(true)
    expect(connection).toMatchObject({ version: 1, wishes: ['w'], pending: undefined })
    expect([...connection.rooms]).toEqual([['!one:a', sent()]])
    expect([...connection.members]).toEqual([['!one:a @bob:a', 7]])
  })

  test('forgets what did not arrive when the client comes with the position before', () => {
    const connection = answered()
    expect(resume(connection, 0, 'p0')).toBe(true)
    expect([connection.version, connection.rooms.size, connection.wishes, connection.pending]).toEqual([0, 0, [], undefined])
  })

  test('does not know any other position', () => {
    expect(resume(answered(), 2, 'p2')).toBe(false)
    const connection = answered()
    resume(connection, 1, 'p1')
    expect(resume(connection, 0, 'p0')).toBe(false)
  })

  test('tells an answer that changed nothing durable by its position', () => {
    const connection = answered()
    resume(connection, 1, 'p1')
    const move = newMove(connection)
    move.members.set('!one:a @carol:a', 9)
    expect(isDurable(move, connection)).toBe(false)
    connection.pending = { ...move, version: 1, pos: 'p2' }
    expect(resume(connection, 1, 'p1')).toBe(true)
    expect(connection.members.has('!one:a @carol:a')).toBe(false)
    connection.pending = { ...move, version: 1, pos: 'p3' }
    expect(resume(connection, 1, 'p3')).toBe(true)
    expect(connection.members.get('!one:a @carol:a')).toBe(9)
  })
})

describe('profiles that a connection was sent', () => {
  const after = (connection: Connection, profiles: ProfilesMove): Connection => {
    connection.pending = { ...newMove(connection), profiles, version: connection.version, pos: 'next' }
    resume(connection, connection.version, 'next')
    return connection
  }
  const users = ({ profiles }: Connection): unknown => profiles && { fields: profiles.fields, users: [...profiles.users] }

  test('add up while the same fields are asked for, less those who are gone', () => {
    const connection = after(after(newConnection('s'), { fields: 'a', users: new Set(['@alice:a', '@bob:a']), gone: [] }), { fields: 'a', users: new Set(['@carol:a']), gone: ['@bob:a'] })
    expect(users(connection)).toEqual({ fields: 'a', users: ['@alice:a', '@carol:a'] })
  })

  test('begin anew with other fields, and end when none are asked for', () => {
    const connection = after(after(newConnection('s'), { fields: 'a', users: new Set(['@alice:a']), gone: [] }), { fields: 'b', users: new Set(['@bob:a']), gone: [] })
    expect(users(connection)).toEqual({ fields: 'b', users: ['@bob:a'] })
    expect(users(after(connection, undefined))).toEqual({ fields: 'b', users: ['@bob:a'] })
    expect(users(after(connection, 'off'))).toBeUndefined()
  })
})

test('both counts of a room make one number, and others another', () => {
  const marks = [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0]].map(([notify = 0, highlight = 0]) => countMark({ notify, highlight }))
  expect(new Set(marks).size).toBe(5)
})

describe('a move', () => {
  test('holds only what is not so already', () => {
    const connection = answered()
    resume(connection, 1, 'p1')
    const move = newMove(connection)
    noteSent(connection, move, '!one:a', sent())
    expect(isDurable(move, connection)).toBe(false)
    noteSent(connection, move, '!one:a', sent({ sent: 7 }))
    expect([...move.rooms]).toEqual([['!one:a', sent({ sent: 7 })]])
    noteSent(connection, move, '!one:a', sent())
    expect(move.rooms.size).toBe(0)
  })

  test('gives each wish one place, old or new', () => {
    const connection = answered()
    resume(connection, 1, 'p1')
    const move = newMove(connection)
    expect(['w', 'x', 'y', 'x'].map((text) => placeOfWish(connection, move, text))).toEqual([0, 1, 2, 1])
    expect(move.wishes).toEqual(['x', 'y'])
  })

  test('is written down by what rooms have in common', () => {
    const connection = newConnection('s')
    const move = newMove(connection)
    for (const roomId of ['!a:a', '!b:a'] as const) noteSent(connection, move, roomId, sent())
    noteSent(connection, move, '!c:a', sent({ isDm: true }))
    expect(groupSent(move.rooms)).toEqual([[sent(), ['!a:a', '!b:a']], [sent({ isDm: true }), ['!c:a']]])
    expect(move.rooms.get('!a:a')).toBe(move.rooms.get('!b:a') as SentRoom)
  })
})
