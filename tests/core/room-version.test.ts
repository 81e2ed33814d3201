import { describe, expect, test } from 'bun:test'
import {
  DEFAULT_ROOM_VERSION,
  KNOWN_ROOM_VERSIONS,
  roomVersionRules,
  type RoomVersionRules,
} from '#core/room-version.ts'
import vectors from '#fixtures/spec-vectors.json' with { type: 'json' }

const known = () => KNOWN_ROOM_VERSIONS.map((version) => roomVersionRules(version) as RoomVersionRules)

/** One value for each of the versions 1 to 12, written as runs. */
const runs = <T>(...parts: readonly (readonly [value: T, times: number])[]): T[] =>
  parts.flatMap(([value, times]) => Array<T>(times).fill(value))

type Row = [string, keyof RoomVersionRules, (string | number | boolean)[]]

describe('room versions', () => {
  test('versions 1 to 12 are known by their own names, and 12 is the default', () => {
    expect(KNOWN_ROOM_VERSIONS).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'])
    expect(known().map(({ version }) => version)).toEqual([...KNOWN_ROOM_VERSIONS])
    expect(DEFAULT_ROOM_VERSION).toBe('12')
  })

  test.each(['', '0', '13', '1.2', '1.2-beta', 'org.matrix.hydra.11', '012', 'constructor', '__proto__'])(
    'version %p is unknown',
    (version) => {
      expect(roomVersionRules(version)).toBeUndefined()
    },
  )

  test.each([
    ['state resolution', 'stateRes', runs<string>(['v1', 1], ['v2', 10], ['v2.1', 1])],
    ['event ids', 'eventIdFormat', runs<string>(['domain', 2], ['base64', 1], ['url-safe-base64', 9])],
    ['room ids', 'roomIdFormat', runs<string>(['domain', 11], ['create-event-hash', 1])],
    ['references', 'references', runs<string>(['pairs', 2], ['ids', 10])],
    ['key validity', 'keyValidity', runs([false, 4], [true, 8])],
    ['strict canonical JSON', 'strictCanonicalJson', runs([false, 5], [true, 7])],
    ['the largest depth', 'maxDepth', runs([2 ** 63, 5], [2 ** 53 - 1, 7])],
    [
      'power level values',
      'powerLevelValues',
      runs<string>(['any-number', 5], ['integer-or-string', 4], ['integer', 3]),
    ],
    ['the aliases rule', 'aliasesAuth', runs([true, 5], [false, 7])],
    ['guarded notifications', 'notificationsGuarded', runs([false, 5], [true, 7])],
    ['knocking', 'knock', runs([false, 6], [true, 6])],
    ['restricted joins', 'restrictedJoin', runs([false, 7], [true, 5])],
    ['knocking on restricted rooms', 'knockRestricted', runs([false, 9], [true, 3])],
    ['redaction authority', 'redactionAuthority', runs<string>(['auth-rule', 2], ['on-receipt', 10])],
    ['redacts in content', 'redactsInContent', runs([false, 10], [true, 2])],
    ['the creator', 'creator', runs<string>(['content', 10], ['sender', 2])],
    ['privileged creators', 'privilegedCreators', runs([false, 11], [true, 1])],
    ['signed event ids', 'eventIdSigned', runs([true, 2], [false, 10])],
    ['strict byte limits', 'strictByteLimits', runs([false, 10], [true, 2])],
  ] as Row[])('%s changes where the spec says', (_says, flag, expected) => {
    expect(known().map((rules): unknown => rules[flag])).toEqual(expected)
  })

  const groups: [string, readonly string[]][] = [
    ['1-5', ['1', '2', '3', '4', '5']],
    ['6-7', ['6', '7']],
    ['8', ['8']],
    ['9-10', ['9', '10']],
    ['11-12', ['11', '12']],
  ]
  test.each(groups)('versions %s keep what the spec lists through a redaction', (group, versions) => {
    const lists = vectors.redaction.keepLists[group as '8']
    for (const version of versions) {
      const { topLevel, content } = (roomVersionRules(version) as RoomVersionRules).redaction
      const kept = [...content].filter(([, keys]) => keys === 'all' || keys.length > 0)
      expect(topLevel).toEqual(lists.top_level)
      expect(Object.fromEntries(kept.map(([type, keys]) => [type, written(keys)]))).toEqual(lists.content)
    }
  })
})

const written = (keys: 'all' | readonly (string | { parent: string; child: string })[]): string[] =>
  keys === 'all' ? ['*'] : keys.map((key) => (typeof key === 'string' ? key : `${key.parent}.${key.child}`))
