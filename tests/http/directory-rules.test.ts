import { expect, test } from 'bun:test'
import { loadConfig } from '#config'
import { mayCreateAlias, mayPublishRoom } from '#http/directory-rules.ts'

const configOf = (rules: unknown) => loadConfig([], { server_name: 'a.example', alias_creation_rules: rules, room_list_publication_rules: rules })

test.each([
  ['without rules anyone may', undefined, true],
  ['with an empty list nobody may', [], false],
  ['the first rule that fits decides', [{ alias: '#a*', action: 'deny' }, { action: 'allow' }], false],
  ['a rule for another alias is passed over', [{ alias: '#b*', action: 'deny' }, { action: 'allow' }], true],
  ['a rule may be for a user', [{ user_id: '@alice:*', action: 'allow' }], true],
  ['or for a room', [{ room_id: '!other:*', action: 'allow' }], false],
])('creating an alias: %s', (_says, rules, isAllowed) => {
  const config = rules === undefined ? loadConfig([], { server_name: 'a.example' }) : configOf(rules)
  expect(mayCreateAlias(config, '@alice:a.example', '!den:a.example', '#abc:a.example')).toBe(isAllowed)
})

test.each([
  ['without rules only admins may', undefined, false, []],
  ['any alias of the room may fit', [{ alias: '#free*', action: 'allow' }], true, ['#x:a.example', '#free:a.example']],
  ['a room without alias fits no pattern', [{ alias: '#free*', action: 'allow' }], false, []],
  ['but it fits the rule for all', [{ action: 'allow' }], true, []],
] as const)('publishing: %s', (_says, rules, isAllowed, aliases) => {
  const config = rules === undefined ? loadConfig([], { server_name: 'a.example' }) : configOf(rules)
  const room = { userId: '@alice:a.example', roomId: '!den:a.example', aliases } as const
  expect(mayPublishRoom(config, false, room)).toBe(isAllowed)
  expect(mayPublishRoom(config, true, room)).toBe(true)
})
