import { describe, expect, test } from 'bun:test'
import {
  claimOnAlias,
  claimOnRoom,
  claimOnUser,
  isInterested,
  parseNamespaces,
  type InterestingEvent,
  type Namespaces,
} from '#core/namespaces.ts'
import type { ServerName, UserId } from '#schema/identifiers.ts'

const ours = 'a.example' as ServerName
const bot = '@irc:a.example' as const

function namespacesOf(namespaces: unknown): Namespaces {
  const parsed = parseNamespaces(namespaces, bot)
  if ('ok' in parsed) throw new Error(parsed.why)
  return parsed
}

const irc = namespacesOf({
  users: [
    { regex: '@irc_.*', exclusive: true },
    { regex: '@guest_', exclusive: false },
    { regex: '@irc_log', exclusive: false },
  ],
  aliases: [{ regex: '#irc_.*:a\\.example$', exclusive: true }],
  rooms: [{ regex: '!den:', exclusive: false }],
})

describe('a claim', () => {
  test.each<[string, UserId, string | undefined]>([
    ['covers users who match', '@irc_alice:a.example', 'exclusive'],
    ['covers users whose id begins so', '@guest_bob:a.example', 'shared'],
    ['does not cover ids that match only later', '@x@irc_y:a.example', undefined],
    ['is exclusive if any expression is', '@irc_log:a.example', 'exclusive'],
    ['covers the service itself', bot, 'exclusive'],
    ['does not cover others', '@alice:a.example', undefined],
    ['does not cover users of other servers', '@irc_alice:b.example', undefined],
  ])('%s', (_says, userId, claim) => {
    expect(claimOnUser(irc, userId, ours)).toBe(claim as ReturnType<typeof claimOnUser>)
  })

  test('covers aliases and rooms', () => {
    expect([
      claimOnAlias(irc, '#irc_den:a.example'),
      claimOnAlias(irc, '#irc_den:a.example.org'),
      claimOnAlias(irc, '#den:a.example'),
      claimOnRoom(irc, '!den:a.example'),
      claimOnRoom(irc, '!other:a.example'),
    ]).toEqual(['exclusive', undefined, undefined, 'shared', undefined])
  })

  test('may disregard case in the manner of Python', () => {
    const loud = namespacesOf({ users: [{ regex: '(?i)\\A@IRC_.*\\Z', exclusive: true }] })
    expect(claimOnUser(loud, '@irc_a:a.example', ours)).toBe('exclusive')
  })
})

describe('interest', () => {
  const quiet: InterestingEvent = {
    roomId: '!other:a.example',
    sender: '@alice:a.example',
    aliases: [],
    members: ['@bob:a.example'],
  }
  test.each<[string, Partial<InterestingEvent>, boolean]>([
    ['is not in what touches no namespace', {}, false],
    ['is in what its users send', { sender: '@irc_x:a.example' }, true],
    ['is in what its own user sends', { sender: bot }, true],
    ['is in what happens to its users', { target: '@guest_x:a.example' }, true],
    ['is in its rooms', { roomId: '!den:a.example' }, true],
    ['is in rooms with its aliases', { aliases: ['#x:a.example', '#irc_x:a.example'] }, true],
    ['is in rooms with its users', { members: ['@bob:a.example', '@irc_x:a.example'] }, true],
    ['is not in rooms with users of other servers who match', { members: ['@irc_x:b.example'] }, false],
  ])('%s', (_says, event, expected) => {
    expect(isInterested(irc, { ...quiet, ...event }, ours)).toBe(expected)
  })
})

describe('a registration', () => {
  test.each<[string, unknown]>([
    ['without namespaces', undefined],
    ['with empty namespaces', {}],
    ['with lists left empty in YAML', { users: null, rooms: [] }],
  ])('%s claims nothing', (_says, namespaces) => {
    expect(parseNamespaces(namespaces, bot)).toEqual({ senderUserId: bot, users: [], aliases: [], rooms: [] })
  })

  test.each<[string, unknown, string]>([
    ['namespaces that are no object', [], 'namespaces'],
    ['users that are no list', { users: {} }, 'namespaces.users'],
    ['an entry that is no object', { rooms: ['!x'] }, 'namespaces.rooms[0]'],
    ['an entry without exclusive', { aliases: [{ regex: '#x' }] }, 'namespaces.aliases[0]'],
    [
      'an entry without a regex',
      { users: [{ exclusive: true, regex: 'x' }, { exclusive: true }] },
      'namespaces.users[1]',
    ],
    [
      'an expression that is broken',
      { users: [{ exclusive: true, regex: '@irc_(' }] },
      'namespaces.users[0]',
    ],
  ])('with %s is refused by name', (_says, namespaces, rule) => {
    expect(parseNamespaces(namespaces, bot)).toMatchObject({ ok: false, rule })
  })
})
