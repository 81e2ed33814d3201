import { describe, expect, test } from 'bun:test'
import { checkAuthEventList, checkEventAuth, mayRedact } from '#core/event-auth/check.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import type { RoomVersion } from '#core/room-version.ts'
import {
  ALL_VERSIONS,
  type Dag,
  type Draft,
  type Furnishing,
  createDag,
  furnishedRoom,
  joinOf,
  memberOf,
  messageBy,
  outcome,
  topicBy,
  versions,
} from '#harness/dag.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'
const charlie = '@charlie:b.example'

const inAll = (tested: readonly RoomVersion[], expected: string) => tested.map(() => expected)
const answers = (tested: readonly RoomVersion[], furnishing: Furnishing, draft: Draft) =>
  tested.map((version) => {
    const dag = furnishedRoom(version, furnishing)
    return outcome(dag.check(dag.make(draft)))
  })

describe('G-14: the list of auth events', () => {
  /** What the rules say to alice’s message when its auth events are changed. */
  const listed = (version: RoomVersion, change: (events: RoomEvent[], dag: Dag) => readonly RoomEvent[]) => {
    const dag = furnishedRoom(version, { members: { [bob]: 'join' } })
    const message = dag.make(messageBy(alice))
    const cited = dag.events.filter(
      ({ eventId }) => JSON.stringify(message.pdu.auth_events).includes(`"${eventId}"`),
    )
    return outcome(checkAuthEventList(dag.rules, message, change(cited, dag), dag.create))
  }
  const at = (dag: Dag, index: number): RoomEvent => dag.events[index] ?? dag.create

  test('as selected is allowed', () => {
    expect(ALL_VERSIONS.map((version) => listed(version, (events) => events))).toEqual(
      inAll(ALL_VERSIONS, 'allow'),
    )
  })

  test('with less than was selected is allowed', () => {
    const withoutMember = (events: RoomEvent[]) => events.filter(({ pdu }) => pdu.type !== 'm.room.member')
    expect(ALL_VERSIONS.map((version) => listed(version, withoutMember))).toEqual(
      inAll(ALL_VERSIONS, 'allow'),
    )
  })

  test('1. with two entries for one place is rejected', () => {
    const doubled = (events: RoomEvent[], dag: Dag) => [
      ...events,
      dag.add({ type: 'm.room.power_levels', sender: alice, stateKey: '' }),
    ]
    expect(ALL_VERSIONS.map((version) => listed(version, doubled))).toEqual(
      inAll(ALL_VERSIONS, 'auth.auth_events.1'),
    )
    const twice = (events: RoomEvent[]) => [...events, ...events]
    expect(ALL_VERSIONS.map((version) => listed(version, twice))).toEqual(
      inAll(ALL_VERSIONS, 'auth.auth_events.1'),
    )
  })

  test('2. with an entry that the selection does not ask for is rejected', () => {
    const withBob = (events: RoomEvent[], dag: Dag) => [...events, at(dag, 3)]
    expect(ALL_VERSIONS.map((version) => listed(version, withBob))).toEqual(
      inAll(ALL_VERSIONS, 'auth.auth_events.2'),
    )
  })

  test('2. with an entry that is no state event is rejected', () => {
    const withMessage = (events: RoomEvent[], dag: Dag) => [...events, dag.add(messageBy(alice))]
    expect(ALL_VERSIONS.map((version) => listed(version, withMessage))).toEqual(
      inAll(ALL_VERSIONS, 'auth.auth_events.2'),
    )
  })

  test('G-18: 2. with the create event is rejected in version 12', () => {
    expect(listed('12', (events, dag) => [dag.create, ...events])).toBe('auth.auth_events.2')
  })

  test('3. with a rejected entry is rejected', () => {
    const soured = (events: RoomEvent[]) => events.map((event) => ({ ...event, rejected: true }))
    expect(ALL_VERSIONS.map((version) => listed(version, soured))).toEqual(
      inAll(ALL_VERSIONS, 'auth.auth_events.3'),
    )
  })

  test('4. without the create event is rejected up to version 11', () => {
    const without = (events: RoomEvent[], dag: Dag) => events.filter((event) => event !== dag.create)
    expect(ALL_VERSIONS.map((version) => listed(version, without))).toEqual([
      ...inAll(versions(1, 11), 'auth.auth_events.4'),
      'allow',
    ])
  })

  test('5. with an entry of another room is rejected', () => {
    const moved = (events: RoomEvent[]) => events.map(
      (event): RoomEvent => ({ ...event, roomId: '!other:a.example' }),
    )
    expect(ALL_VERSIONS.map((version) => listed(version, moved))).toEqual(
      inAll(ALL_VERSIONS, 'auth.auth_events.5'),
    )
  })

  test('of a create event is not looked at, for rule 1 has the last word', () => {
    const dag = createDag('10')
    expect(checkAuthEventList(dag.rules, dag.create, [dag.create])).toEqual({ ok: true })
  })
})

describe('G-18: version 12, 2. the room id', () => {
  const dag = furnishedRoom('12')
  const message = dag.make(messageBy(alice))
  const named = (create: RoomEvent | undefined) => outcome(checkAuthEventList(dag.rules, message, [], create))

  test('names an accepted create event', () => {
    expect(named(dag.create)).toBe('allow')
  })

  test.each([
    ['without a create event', undefined],
    ['of another create event', { ...dag.create, eventId: '$other' } as const],
    ['of a rejected create event', { ...dag.create, rejected: true }],
    ['of something else than a create event', { ...message, eventId: dag.create.eventId }],
  ])('%s is rejected', (_, create) => {
    expect(named(create)).toBe('auth.room_id')
  })
})

describe('a room state without a create event', () => {
  test('allows nothing', () => {
    const found = ALL_VERSIONS.map((version) => {
      const dag = furnishedRoom(version)
      return outcome(checkEventAuth(dag.rules, dag.make(messageBy(alice)), () => undefined))
    })
    expect(found).toEqual([...inAll(versions(1, 11), 'auth.auth_events.4'), 'auth.room_id'])
  })
})

describe('G-26: m.federate', () => {
  const members = { [bob]: 'join', [charlie]: 'join' } as const
  const closed = { create: { 'm.federate': false }, joinRule: 'public', members } as const

  test.each([
    ['messages', messageBy(charlie)],
    ['state', topicBy(charlie, 'hello')],
    ['joins', joinOf(charlie)],
    ['leaves', memberOf('leave', charlie, charlie)],
    ['aliases', { type: 'm.room.aliases', sender: charlie, stateKey: 'b.example' }],
  ] as const)('false rejects %s of other servers in every version', (_, draft) => {
    expect(answers(ALL_VERSIONS, closed, draft)).toEqual(inAll(ALL_VERSIONS, 'auth.federate'))
  })

  test('false allows what users of the creator’s server send', () => {
    expect(answers(ALL_VERSIONS, closed, messageBy(bob))).toEqual(inAll(ALL_VERSIONS, 'allow'))
  })

  test.each([
    ['true', true],
    ['no truth value', 'false'],
    ['null', null],
  ])('when it is %s rejects nobody', (_, federate) => {
    const room = { ...closed, create: { 'm.federate': federate } }
    expect(answers(ALL_VERSIONS, room, messageBy(charlie))).toEqual(inAll(ALL_VERSIONS, 'allow'))
  })
})

describe('G-28: aliases', () => {
  const aliases = (sender: typeof alice | typeof bob, stateKey?: string): Draft => ({
    type: 'm.room.aliases',
    sender,
    ...(stateKey === undefined ? {} : { stateKey }),
  })

  test('up to version 5, 4.1 without a state key are rejected', () => {
    expect(answers(versions(1, 5), {}, aliases(alice))).toEqual(inAll(versions(1, 5), 'auth.aliases.1'))
  })

  test('up to version 5, 4.2 of another server are rejected', () => {
    expect(answers(versions(1, 5), {}, aliases(alice, 'b.example'))).toEqual(
      inAll(versions(1, 5), 'auth.aliases.2'),
    )
    expect(answers(versions(1, 5), {}, aliases(alice, ''))).toEqual(inAll(versions(1, 5), 'auth.aliases.2'))
  })

  test('up to version 5, 4.3 of one’s own server are allowed even to strangers', () => {
    expect(answers(versions(1, 5), {}, aliases(bob, 'a.example'))).toEqual(inAll(versions(1, 5), 'allow'))
  })

  test('from version 6 on are state like any other', () => {
    const later = versions(6, 12)
    expect(answers(later, {}, aliases(bob, 'a.example'))).toEqual(inAll(later, 'auth.joined'))
    expect(answers(later, {}, aliases(alice, 'b.example'))).toEqual(inAll(later, 'allow'))
    expect(answers(later, {}, aliases(alice))).toEqual(inAll(later, 'allow'))
  })
})

describe('6. somebody who is not joined', () => {
  test.each(['invite', 'leave', 'ban', 'knock'])('but has membership %s sends nothing', (membership) => {
    const room = { members: { [bob]: membership } }
    expect(answers(ALL_VERSIONS, room, messageBy(bob))).toEqual(inAll(ALL_VERSIONS, 'auth.joined'))
    const invitation = { type: 'm.room.third_party_invite', sender: bob, stateKey: 'abc' } as const
    expect(answers(ALL_VERSIONS, room, invitation)).toEqual(inAll(ALL_VERSIONS, 'auth.joined'))
  })
})

describe('7. a third-party invitation', () => {
  const invitation = (sender: typeof charlie): Draft => ({
    type: 'm.room.third_party_invite',
    sender,
    stateKey: '@abc',
  })

  test('takes the invite level and nothing else', () => {
    const room: Furnishing = {
      levels: { invite: 10, events: { 'm.room.third_party_invite': 100 }, users: { [charlie]: 10 } },
      members: { [charlie]: 'join' },
    }
    expect(answers(ALL_VERSIONS, room, invitation(charlie))).toEqual(inAll(ALL_VERSIONS, 'allow'))
  })

  test('below the invite level is rejected', () => {
    const room: Furnishing = {
      levels: { invite: 10, users: { [charlie]: 9 } },
      members: { [charlie]: 'join' },
    }
    expect(answers(ALL_VERSIONS, room, invitation(charlie))).toEqual(
      inAll(ALL_VERSIONS, 'auth.third_party_invite.1'),
    )
  })
})

describe('8. the level that a type requires', () => {
  const members = { [bob]: 'join', [charlie]: 'join' } as const
  const levels = {
    events: { 'm.room.name': 20 },
    state_default: 30,
    events_default: 5,
    users: { [bob]: 20, [charlie]: 4 },
  }
  test.each([
    ['a message at the default level', { type: 'm.room.message', sender: bob }, 'allow'],
    ['a message below the default level', { type: 'm.room.message', sender: charlie }, 'auth.required_level'],
    ['state below the default level', topicBy(bob, 'hello'), 'auth.required_level'],
    ['state at the level of its type', { type: 'm.room.name', sender: bob, stateKey: '' }, 'allow'],
    [
      'state below the level of its type',
      { type: 'm.room.name', sender: charlie, stateKey: '' },
      'auth.required_level',
    ],
  ] as const)('decides on %s', (_, draft, expected) => {
    expect(answers(ALL_VERSIONS, { levels, members }, draft)).toEqual(inAll(ALL_VERSIONS, expected))
  })

  test('G-16: without power levels lets the creator send state and nobody else', () => {
    const room = { levels: 'none', members } as const
    expect(answers(ALL_VERSIONS, room, topicBy(alice, 'hello'))).toEqual(inAll(ALL_VERSIONS, 'allow'))
    expect(answers(ALL_VERSIONS, room, topicBy(bob, 'hello'))).toEqual(
      inAll(ALL_VERSIONS, 'auth.required_level'),
    )
    expect(answers(ALL_VERSIONS, room, messageBy(bob))).toEqual(inAll(ALL_VERSIONS, 'allow'))
  })

  test('G-18: never stops a creator of version 12', () => {
    const room = { levels: { state_default: 2 ** 53 - 1, events_default: 2 ** 53 - 1 } }
    expect(answers(['11', '12'], room, topicBy(alice, 'hello'))).toEqual(['auth.required_level', 'allow'])
  })
})

describe('G-20: 9. a state key that starts with an at sign', () => {
  const members = { [bob]: 'join' } as const
  test.each([
    ['is the sender’s own', { type: 'com.example.seat', sender: bob, stateKey: bob }, 'allow'],
    ['is another user’s', { type: 'com.example.seat', sender: bob, stateKey: alice }, 'auth.state_key'],
    [
      'begins like the sender’s',
      { type: 'com.example.seat', sender: bob, stateKey: `${bob}_1` },
      'auth.state_key',
    ],
    ['is nobody’s', { type: 'com.example.seat', sender: bob, stateKey: '@' }, 'auth.state_key'],
    ['stands elsewhere in it', { type: 'com.example.seat', sender: bob, stateKey: `x${alice}` }, 'allow'],
  ] as const)('%s', (_, draft, expected) => {
    expect(answers(ALL_VERSIONS, { members }, draft)).toEqual(inAll(ALL_VERSIONS, expected))
  })

  test('is another user’s, and even a creator may not use it', () => {
    const draft = { type: 'com.example.seat', sender: alice, stateKey: bob } as const
    expect(answers(ALL_VERSIONS, {}, draft)).toEqual(inAll(ALL_VERSIONS, 'auth.state_key'))
  })
})

describe('G-27: 11. a redaction in versions 1 and 2', () => {
  const members = { [bob]: 'join', [charlie]: 'join' } as const
  const redactionBy = (sender: typeof charlie | typeof bob, redacts?: `$${string}`): Draft => ({
    type: 'm.room.redaction',
    sender,
    ...(redacts === undefined ? {} : { redacts }),
  })
  test.each([
    ['at the redact level is allowed', redactionBy(bob, '$x:b.example'), 'allow'],
    ['of an event of the same server is allowed', redactionBy(charlie, '$x:b.example'), 'allow'],
    ['of an event of another server is rejected', redactionBy(charlie, '$x:a.example'), 'auth.redaction.3'],
    ['of nothing is rejected', redactionBy(charlie), 'auth.redaction.3'],
  ] as const)('%s, and later versions allow it', (_, draft, expected) => {
    expect(answers(ALL_VERSIONS, { members }, draft)).toEqual([
      ...inAll(versions(1, 2), expected),
      ...inAll(versions(3, 12), 'allow'),
    ])
  })

  test('in later versions takes the level of its type like any event', () => {
    const levels = { events: { 'm.room.redaction': 10 }, users: { [bob]: 10 } }
    expect(answers(versions(3, 12), { levels, members }, redactionBy(charlie, '$x'))).toEqual(
      inAll(versions(3, 12), 'auth.required_level'),
    )
    expect(answers(versions(3, 12), { levels, members }, redactionBy(bob, '$x'))).toEqual(
      inAll(versions(3, 12), 'allow'),
    )
  })
})

describe('G-27: a redaction takes effect', () => {
  const effect = (version: RoomVersion, sender: typeof bob | typeof charlie, author: string) => {
    const dag = furnishedRoom(version, { members: { [bob]: 'join', [charlie]: 'join' } })
    const server = author.slice(author.indexOf(':'))
    const target = {
      eventId: version < '3' && version.length === 1 ? (`$x${server}` as const) : ('$x' as const),
      sender: author,
    }
    const redaction = dag.make({ type: 'm.room.redaction', sender, redacts: target.eventId })
    return outcome(mayRedact(dag.rules, redaction, target, dag.lookup(dag.stateBefore(dag.events.slice(-1)))))
  }

  test('with the redact level, on anybody’s event', () => {
    expect(ALL_VERSIONS.map((version) => effect(version, bob, charlie))).toEqual(inAll(ALL_VERSIONS, 'allow'))
  })

  test('without it on events of one’s own server', () => {
    expect(ALL_VERSIONS.map((version) => effect(version, charlie, '@dave:b.example'))).toEqual(
      inAll(ALL_VERSIONS, 'allow'),
    )
  })

  test('and not on others', () => {
    expect(ALL_VERSIONS.map((version) => effect(version, charlie, alice))).toEqual([
      ...inAll(versions(1, 2), 'auth.redaction.3'),
      ...inAll(versions(3, 12), 'redaction.2'),
    ])
  })
})

describe('G-13: the verdict on an event', () => {
  test('depends on the state it is asked against', () => {
    const dag = furnishedRoom('10', { members: { [bob]: 'join' } })
    const joined = dag.events.slice(-1)
    const banned = dag.add(memberOf('ban', alice, bob))
    const message = dag.make({ ...messageBy(bob), after: joined })
    const against = (previous: readonly RoomEvent[]) =>
      outcome(checkEventAuth(dag.rules, message, dag.lookup(dag.stateBefore(previous))))
    expect([against(joined), against([banned])]).toEqual(['allow', 'auth.joined'])
  })
})
