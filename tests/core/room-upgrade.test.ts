import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import { type CarriedState, levelsAfterUpgrade, upgradedCreate, upgradedState } from '#core/room-upgrade.ts'
import { roomVersionRules } from '#core/room-version.ts'

const rulesOf = (version: string) => roomVersionRules(version) ?? (() => { throw new Error(version) })()
const upgrade = (version: string, ...additionalCreators: `@${string}:${string}`[]) =>
  ({ rules: rulesOf(version), creator: '@alice:a.example', additionalCreators }) as const
const NOTHING: CarriedState = { content: () => undefined, children: [], banned: [], formerCreators: [], movedAliases: [], profile: {} }
const levelsOf = (version: string, levels: JsonObject, ...creators: `@${string}:${string}`[]) =>
  upgradedState(upgrade(version, ...creators), { ...NOTHING, content: (type) => (type === 'm.room.power_levels' ? levels : undefined) })
    .find(({ type }) => type === 'm.room.power_levels')?.content

describe('the create event of the new room', () => {
  const before = { type: 'm.space', 'm.federate': false, room_version: '5', creator: '@old:a.example', additional_creators: ['@x:a.example'], other: 1 }

  test.each([
    ['10', { creator: '@alice:a.example' }],
    ['11', {}],
  ])('of version %s keeps the type and who may come, and names the tombstone', (version, more) => {
    expect(upgradedCreate(upgrade(version), before, { roomId: '!old:a.example', tombstone: '$stone' })).toEqual({
      type: 'm.space', 'm.federate': false, room_version: version, predecessor: { room_id: '!old:a.example', event_id: '$stone' }, ...more,
    })
  })

  test('of version 12 has the additional creators that were asked for and no others', () => {
    const predecessor = { roomId: '!old' } as const
    expect(upgradedCreate(upgrade('12', '@bob:a.example'), before, predecessor)).toMatchObject({
      additional_creators: ['@bob:a.example'], predecessor: { room_id: '!old' },
    })
    expect(upgradedCreate(upgrade('12'), {}, predecessor)).toEqual({ room_version: '12', predecessor: { room_id: '!old' } })
    expect(upgradedCreate(upgrade('11', '@bob:a.example'), {}, predecessor)).not.toHaveProperty('additional_creators')
  })
})

describe('G-85: the state of the new room', () => {
  test('is the creator, what is carried over, the banned, and the power levels last', () => {
    const contents: Record<string, JsonObject> = {
      'm.room.name': { name: 'Den' },
      'm.room.join_rules': { join_rule: 'knock' },
      'm.room.power_levels': { users: { '@alice:a.example': 50 } },
      'm.room.pinned_events': { pinned: [] },
    }
    expect(upgradedState(upgrade('11'), {
      ...NOTHING,
      content: (type) => contents[type],
      children: [['!in:a.example', { via: ['a.example'] }], ['!out:a.example', {}]],
      banned: [['@m:c.example', 'spam'], ['@n:c.example', undefined]],
      profile: { displayname: 'Alice' },
    })).toEqual([
      { type: 'm.room.member', stateKey: '@alice:a.example', content: { displayname: 'Alice', membership: 'join' } },
      { type: 'm.room.name', stateKey: '', content: { name: 'Den' } },
      { type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'knock' } },
      { type: 'm.space.child', stateKey: '!in:a.example', content: { via: ['a.example'] } },
      { type: 'm.room.member', stateKey: '@m:c.example', content: { membership: 'ban', reason: 'spam' } },
      { type: 'm.room.member', stateKey: '@n:c.example', content: { membership: 'ban' } },
      { type: 'm.room.power_levels', stateKey: '', content: { users: { '@alice:a.example': 50 } } },
    ])
  })

  test('names of the aliases those that move with it', () => {
    const named = (movedAliases: `#${string}:${string}`[]) =>
      upgradedState(upgrade('11'), {
        ...NOTHING,
        movedAliases,
        content: (type) => (type === 'm.room.canonical_alias' ? { alias: '#den:a.example', alt_aliases: ['#hall:a.example', '#den:b.example'] } : undefined),
      }).find(({ type }) => type === 'm.room.canonical_alias')?.content
    expect(named(['#den:a.example', '#hall:a.example'])).toEqual({ alias: '#den:a.example', alt_aliases: ['#hall:a.example'] })
    expect(named(['#hall:a.example'])).toEqual({ alt_aliases: ['#hall:a.example'] })
    expect(named([])).toBeUndefined()
  })

  test('has levels that every version can read', () => {
    const levels = { ban: '60', kick: 50.7, redact: null, users: { '@bob:a.example': ' 7 ', '@c:a.example': 'high' }, events: [], historical: 100 }
    expect(levelsOf('11', levels)).toEqual({ ban: 60, kick: 50, users: { '@bob:a.example': 7 }, historical: 100 })
  })

  test('lists no creators among the levels of version 12', () => {
    const users = { '@alice:a.example': 100, '@bob:a.example': 100, '@carol:a.example': 50 }
    expect(levelsOf('12', { users }, '@bob:a.example')).toEqual({ users: { '@carol:a.example': 50 } })
    expect(levelsOf('11', { users })).toEqual({ users })
  })

  test.each([
    ['100', { users: { '@bob:a.example': 50 } }, 100],
    ['the highest there is', { ban: 60, events: { 'm.room.tombstone': 150 }, users: { '@bob:a.example': 50 } }, 150],
  ])('lists those who stood above all levels at %s where nobody does', (_level, levels, level) => {
    const content = (type: string) => (type === 'm.room.power_levels' ? (levels as JsonObject) : undefined)
    const carried = { ...NOTHING, content, formerCreators: ['@alice:a.example', '@carol:a.example'] }
    const levelsThen = (version: string) => upgradedState(upgrade(version), carried).find(({ type }) => type === 'm.room.power_levels')?.content
    expect(levelsThen('11')).toEqual({ ...levels, users: { '@alice:a.example': level, '@bob:a.example': 50, '@carol:a.example': level } })
    expect(levelsThen('12')).toEqual(levels as JsonObject)
  })

  test('has the usual levels where the old room had none', () => {
    expect(upgradedState(upgrade('11'), NOTHING).at(-1)?.content).toMatchObject({ users: { '@alice:a.example': 100 }, state_default: 50 })
  })
})

describe('G-85: the levels of the old room', () => {
  test.each([
    ['are raised to 50', {}, { events_default: 50, invite: 50 }],
    ['are raised above what everyone has', { users_default: 80 }, { events_default: 81, invite: 81 }],
    ['are raised where they are too low', { invite: 90 }, { events_default: 50, invite: 90 }],
  ])('%s', (_says, before, after) => {
    expect(levelsAfterUpgrade(before)).toEqual({ ...before, ...after })
  })

  test('stay where they are high enough, or where there are none', () => {
    expect(levelsAfterUpgrade({ invite: 50, events_default: 50 })).toBeUndefined()
    expect(levelsAfterUpgrade(undefined)).toBeUndefined()
  })
})
