import { describe, expect, test } from 'bun:test'
import { aliasesIn, newAliasesIn, withoutAlias } from '#core/canonical-alias.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { RoomAlias } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'

const [ONE, TWO]: RoomAlias[] = ['#one:a.example', '#two:a.example']

describe('newAliasesIn', () => {
  test.each([
    ['the alias of a first event is new', { alias: ONE }, undefined, [ONE]],
    ['what the event before named is not', { alias: ONE, alt_aliases: [TWO] }, { alias: ONE }, [TWO]],
    ['an alias that changes place is not', { alias: TWO }, { alias: ONE, alt_aliases: [TWO] }, []],
    ['each is told once', { alias: ONE, alt_aliases: [ONE, ONE] }, undefined, [ONE]],
    ['no alias is fine', {}, undefined, []],
    ['neither does an empty or null alias name any', { alias: '' }, undefined, []],
    ['nor null', { alias: null }, undefined, []],
    ['nonsense in the event before is passed over', { alias: ONE }, { alias: 5, alt_aliases: 'x' }, [ONE]],
  ] as const)('G-76: %s', (_says, content, before, added) => {
    expect(newAliasesIn(content as JsonObject, before as JsonObject | undefined)).toEqual([...added] as never)
  })

  test.each([
    ['an alias without sigil', { alias: 'one:a.example' }],
    ['an alias that is no text', { alias: 1 }],
    ['an alt_aliases that is no list', { alt_aliases: ONE }],
    ['an entry that is no alias', { alt_aliases: ['%two:a.example'] }],
    ['an alias longer than 255 bytes', { alias: `#${'é'.repeat(125)}:a.example` }],
  ])('%s is M_INVALID_PARAM', (_says, content) => {
    const answer = newAliasesIn(content as JsonObject, undefined)
    expect(answer instanceof MatrixError && answer.errcode).toBe('M_INVALID_PARAM')
  })
})

test('aliasesIn reads what is an alias and passes over the rest', () => {
  expect(aliasesIn({ alias: ONE ?? '', alt_aliases: [TWO ?? '', 'x', 3] })).toEqual(['#one:a.example', '#two:a.example'])
})

test.each([
  ['the main one', { alias: ONE, alt_aliases: [TWO] }, { alt_aliases: [TWO] }],
  ['one of the others, with all that is left', { alias: TWO, alt_aliases: [ONE], topic: 1 }, { alias: TWO, topic: 1 }],
  ['both at once', { alias: ONE, alt_aliases: [ONE] }, {}],
  ['one that is not there', { alias: TWO }, undefined],
])('withoutAlias drops %s', (_says, content, left) => {
  expect(withoutAlias(content as JsonObject, '#one:a.example')).toEqual(left as never)
})
