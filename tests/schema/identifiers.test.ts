import { describe, expect, test } from 'bun:test'
import { isEventId, isRoomAlias, isRoomId, isServerName, isUserId, localpartOf, serverNameOf } from '#schema/identifiers.ts'

describe('a server name', () => {
  // As the spec prints them. spec: appendices#server-name
  test.each(['matrix.org', 'matrix.org:8888', '1.2.3.4', '1.2.3.4:1234', '[1234:5678::abcd]', '[1234:5678::abcd]:5678'])('may be %s', (name) => {
    expect(isServerName(name)).toBe(true)
  })

  test.each([
    ['the empty text', ''],
    ['a port alone', ':80'],
    ['a port of six digits', 'a.example:123456'],
    ['a port that is no number', 'a.example:x'],
    ['an open bracket', '[::1'],
    ['brackets without an address', '[]'],
    ['an underscore', 'a_b.example'],
    ['a space', 'a.example '],
    ['a letter outside ASCII', 'é.example'],
    ['more than 255 characters', 'a'.repeat(256)],
    ['a user id', '@alice:a.example'],
  ])('is not %s', (_says, name) => {
    expect(isServerName(name)).toBe(false)
  })
})

describe('ids', () => {
  test.each<[string, (text: unknown) => boolean, unknown, boolean]>([
    ['G-77: a historical user id with capitals is one', isUserId, '@Alice Ü/=:a.example', true],
    ['a user id without a localpart is one', isUserId, '@:a.example', true],
    ['a user id needs a server', isUserId, '@alice', false],
    ['a user id needs a server that is one', isUserId, '@alice:a_b', false],
    ['a user id holds no NUL', isUserId, '@a\0:a.example', false],
    ['a user id has 255 bytes', isUserId, `@${'é'.repeat(122)}:a.example`, true],
    ['a user id has no more, though it has fewer characters', isUserId, `@${'é'.repeat(123)}:a.example`, false],
    ['a number is no user id', isUserId, 5, false],
    ['a room id may have a domain', isRoomId, '!den:a.example', true],
    ['a room id of version 12 has none', isRoomId, '!abc', true],
    ['a sigil alone is no room id', isRoomId, '!', false],
    ['G-76: an alias has 255 bytes', isRoomAlias, `#${'a'.repeat(244)}:a.example`, true],
    ['G-76: an alias has no more', isRoomAlias, `#${'a'.repeat(245)}:a.example`, false],
    ['G-03: an event id may hold the whole of base64', isEventId, '$ab/+c', true],
    ['a sigil alone is no event id', isEventId, '$', false],
  ])('%s', (_says, isOne, text, expected) => {
    expect(isOne(text)).toBe(expected)
  })

  test('are parted at the first colon', () => {
    expect([localpartOf('@alice:[::1]:80'), serverNameOf('@alice:[::1]:80')] as string[]).toEqual(['alice', '[::1]:80'])
  })
})
