import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import {
  defaultPowerLevels,
  planRoom,
  presetOf,
  type Preset,
  type RoomCreation,
  type StateDraft,
} from '#core/room-presets.ts'
import { KNOWN_ROOM_VERSIONS, roomVersionRules, type RoomVersionRules } from '#core/room-version.ts'
import { MatrixError } from '#schema/matrix-error.ts'

function rulesOf(version: string): RoomVersionRules {
  const rules = roomVersionRules(version)
  if (!rules) throw new Error(`no version ${version}`)
  return rules
}

const [alice, bob] = ['@alice:a.example', '@bob:a.example'] as const
const plain: RoomCreation = {
  rules: rulesOf('11'),
  creator: alice,
  profile: { displayname: 'Alice' },
  preset: 'private_chat',
  initialState: [],
  invite: [],
}

function planned(creation: Partial<RoomCreation>): readonly StateDraft[] {
  const plan = planRoom({ ...plain, ...creation })
  if (plan instanceof MatrixError) throw plan
  return plan
}

const typesOf = (creation: Partial<RoomCreation>): string[] =>
  planned(creation).map(({ type }) => type.replace('m.room.', ''))
const contentOf = (creation: Partial<RoomCreation>, type: string): JsonObject | undefined =>
  planned(creation).find((draft) => draft.type === type)?.content
const codeOf = (creation: Partial<RoomCreation>): string => {
  const plan = planRoom({ ...plain, ...creation })
  return plan instanceof MatrixError ? `${plan.status} ${plan.errcode}` : 'ok'
}
const draft = (type: string, content: JsonObject, stateKey = ''): StateDraft => ({ type, stateKey, content })

describe('the order of events', () => {
  test('is that of the specification', () => {
    expect(
      typesOf({
        alias: '#den:a.example',
        name: 'Den',
        topic: 'Carrots',
        invite: [bob],
        initialState: [
          draft('m.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' }),
          draft('org.example.x', {}, 'key'),
        ],
      }),
    ).toEqual([
      'create',
      'member',
      'power_levels',
      'canonical_alias',
      'join_rules',
      'history_visibility',
      'guest_access',
      'encryption',
      'org.example.x',
      'name',
      'topic',
    ])
  })

  test('leaves out what the request does not ask for', () => {
    expect(typesOf({})).toEqual([
      'create',
      'member',
      'power_levels',
      'join_rules',
      'history_visibility',
      'guest_access',
    ])
  })

  test('gives initial state the place of the preset', () => {
    const initialState = [
      draft('m.room.join_rules', { join_rule: 'knock' }),
      draft('m.room.canonical_alias', {}),
    ]
    expect(planned({ initialState, alias: '#den:a.example' }).slice(3)).toEqual([
      draft('m.room.history_visibility', { history_visibility: 'shared' }),
      draft('m.room.guest_access', { guest_access: 'can_join' }),
      ...initialState,
    ])
  })

  test('gives name and topic the place of initial state', () => {
    const initialState = [
      draft('m.room.name', { name: 'Old' }),
      draft('m.room.topic', { topic: 'Old' }),
      draft('m.room.name', {}, 'odd'),
    ]
    expect(planned({ initialState, name: 'New', topic: 'New' }).slice(6)).toEqual([
      draft('m.room.name', {}, 'odd'),
      draft('m.room.name', { name: 'New' }),
      draft('m.room.topic', { topic: 'New', 'm.topic': { 'm.text': [{ body: 'New' }] } }),
    ])
  })

  test('gives power levels of initial state the place of the default ones', () => {
    const levels = { users: { [alice]: 100 }, events_default: 7 }
    const plan = planned({ initialState: [draft('m.room.power_levels', levels)], powerLevels: { ban: 1 } })
    expect(plan.filter(({ type }) => type === 'm.room.power_levels')).toEqual([
      draft('m.room.power_levels', levels),
    ])
    expect(plan[2]?.type).toBe('m.room.power_levels')
  })
})

test('the creator joins under their own name', () => {
  expect(planned({})[1]).toEqual({
    type: 'm.room.member',
    stateKey: alice,
    content: { displayname: 'Alice', membership: 'join' },
  })
})

test.each<[Preset, string, string]>([
  ['private_chat', 'invite', 'can_join'],
  ['trusted_private_chat', 'invite', 'can_join'],
  ['public_chat', 'public', 'forbidden'],
])('preset %s has join rule %s, shared history and guest access %s', (preset, joinRule, guestAccess) => {
  expect(
    ['m.room.join_rules', 'm.room.history_visibility', 'm.room.guest_access'].map((type) =>
      contentOf({ preset }, type),
    ),
  ).toEqual([{ join_rule: joinRule }, { history_visibility: 'shared' }, { guest_access: guestAccess }])
})

test('without a preset the visibility decides', () => {
  expect([
    presetOf(undefined, undefined),
    presetOf(undefined, 'private'),
    presetOf(undefined, 'public'),
    presetOf('private_chat', 'public'),
  ]).toEqual(['private_chat', 'private_chat', 'public_chat', 'private_chat'])
})

describe('the create event', () => {
  test.each(KNOWN_ROOM_VERSIONS)(
    'of version %s names its version, and its creator up to version 10',
    (version) => {
      const content = contentOf({ rules: rulesOf(version) }, 'm.room.create')
      expect(content).toEqual(
        Number(version) <= 10 ? { room_version: version, creator: alice } : { room_version: version },
      )
    },
  )

  test('keeps what the request adds and overwrites what is not its own', () => {
    const creationContent = { 'm.federate': false, type: 'm.space', creator: bob, room_version: '1' }
    expect(contentOf({ creationContent }, 'm.room.create')).toEqual({
      'm.federate': false,
      type: 'm.space',
      room_version: '11',
    })
  })

  test('of version 12 makes creators of those it trusts', () => {
    const trusted = { rules: rulesOf('12'), preset: 'trusted_private_chat', invite: [bob, alice] } as const
    const creationContent = { additional_creators: ['@carol:a.example', bob] }
    expect(contentOf({ ...trusted, creationContent }, 'm.room.create')).toEqual({
      room_version: '12',
      additional_creators: ['@carol:a.example', bob],
    })
    expect(contentOf({ ...trusted, preset: 'private_chat' }, 'm.room.create')).toEqual({ room_version: '12' })
  })

  test('of version 12 refuses creators that are no users', () => {
    const rules = rulesOf('12')
    expect(
      [['bob'], 'bob', [7]].map((additional_creators) =>
        codeOf({ rules, creationContent: { additional_creators } }),
      ),
    ).toEqual(['400 M_INVALID_PARAM', '400 M_INVALID_PARAM', '400 M_INVALID_PARAM'])
    expect(codeOf({ creationContent: { additional_creators: 'bob' } })).toBe('ok')
  })
})

describe('power levels', () => {
  test.each(KNOWN_ROOM_VERSIONS)('of version %s put the creator above everyone', (version) => {
    const levels = defaultPowerLevels(rulesOf(version), alice, 'private_chat', [bob])
    expect([levels.users, (levels.events as JsonObject)['m.room.tombstone']]).toEqual(
      version === '12' ? [{}, 150] : [{ [alice]: 100 }, 100],
    )
  })

  test('of a trusted chat put the invitees beside the creator, but for version 12', () => {
    const users = ['11', '12'].map(
      (version) => defaultPowerLevels(rulesOf(version), alice, 'trusted_private_chat', [bob]).users,
    )
    expect(users).toEqual([{ [alice]: 100, [bob]: 100 }, {}])
  })

  test('let everyone invite into private rooms and moderators into public ones', () => {
    expect(
      (['private_chat', 'public_chat'] as const).map(
        (preset) => defaultPowerLevels(plain.rules, alice, preset, []).invite,
      ),
    ).toEqual([0, 50])
  })

  test('are overridden key by key', () => {
    const levels = contentOf(
      { powerLevels: { events_default: 50, events: { 'm.room.name': 0 } } },
      'm.room.power_levels',
    )
    expect(levels).toEqual({
      ...defaultPowerLevels(plain.rules, alice, 'private_chat', []),
      events_default: 50,
      events: { 'm.room.name': 0 },
    })
  })

  const rules = rulesOf('12')
  test.each<[string, Partial<RoomCreation>, string]>([
    ['may keep the creator', { powerLevels: { users: { [alice]: 100, [bob]: 50 } } }, 'ok'],
    ['may not leave out the creator', { powerLevels: { users: { [bob]: 50 } } }, '400 M_INVALID_ROOM_STATE'],
    [
      'may not list a creator in version 12',
      { rules, powerLevels: { users: { [alice]: 100 } } },
      '400 M_INVALID_ROOM_STATE',
    ],
    [
      'may not list an additional creator in version 12',
      { rules, creationContent: { additional_creators: [bob] }, powerLevels: { users: { [bob]: 50 } } },
      '400 M_INVALID_ROOM_STATE',
    ],
    ['may list others in version 12', { rules, powerLevels: { users: { [bob]: 50 } } }, 'ok'],
    [
      'are refused in initial state too',
      { initialState: [draft('m.room.power_levels', { users: {} })] },
      '400 M_INVALID_ROOM_STATE',
    ],
  ])('%s', (_says, creation, code) => {
    expect(codeOf(creation)).toBe(code)
  })
})

test('initial state cannot hold the create event', () => {
  expect(codeOf({ initialState: [draft('m.room.create', {})] })).toBe('400 M_INVALID_ROOM_STATE')
})
