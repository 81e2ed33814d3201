import { describe, expect, test } from 'bun:test'
import { checkEventAuth } from '#core/event-auth/check.ts'
import { authStateKeys } from '#core/event-auth/select.ts'
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
  outcome,
  versions,
} from '#harness/dag.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'
const charlie = '@charlie:b.example'
const mallory = '@mallory:b.example'

type Case = readonly [
  sentence: string,
  tested: readonly RoomVersion[],
  furnishing: Furnishing,
  draft: Draft,
  expected: string,
]

/** Each version's answer to the draft in a room furnished like that. */
const holds = (tested: readonly RoomVersion[], furnishing: Furnishing, draft: Draft, expected: string) => {
  const answers = tested.map((version) => {
    const dag = furnishedRoom(version, furnishing)
    return [version, outcome(dag.check(dag.make(draft)))]
  })
  expect(answers).toEqual(tested.map((version) => [version, expected]))
}

const cases = (...table: readonly Case[]) =>
  test.each(table.map((row) => [...row] as const))('%s', (_, tested, furnishing, draft, expected) =>
    holds(tested, furnishing, draft, expected),
  )

const onward = (first: number) => versions(first, 12)
const before = (first: number) => versions(1, first - 1)

describe('1. a membership', () => {
  cases(
    [
      'without a state key is rejected',
      ALL_VERSIONS,
      {},
      { type: 'm.room.member', sender: alice, content: { membership: 'join' } },
      'auth.member.1',
    ],
    [
      'without a membership is rejected',
      ALL_VERSIONS,
      {},
      { type: 'm.room.member', sender: alice, stateKey: alice },
      'auth.member.1',
    ],
    ['8. of an unknown kind is rejected', ALL_VERSIONS, {}, memberOf('visit', alice, alice), 'auth.member.8'],
    [
      '8. that is no text is rejected',
      ALL_VERSIONS,
      {},
      { type: 'm.room.member', sender: alice, stateKey: alice, content: { membership: 1 } },
      'auth.member.8',
    ],
  )
})

describe('2. a join that another server authorised', () => {
  const vouched = (by: string | null) => joinOf(charlie, { join_authorised_via_users_server: by })
  cases(
    [
      'names no user: rejected from version 8 on',
      onward(8),
      { joinRule: 'public' },
      vouched('b.example'),
      'auth.member.2.1',
    ],
    [
      'names null: rejected from version 8 on',
      onward(8),
      { joinRule: 'public' },
      vouched(null),
      'auth.member.2.1',
    ],
    ['means nothing before version 8', before(8), { joinRule: 'public' }, vouched('b.example'), 'allow'],
  )
})

describe('G-21: 3.1 the first join', () => {
  const firstJoin = (version: RoomVersion, draft: Draft, extra = {}) => {
    const dag = createDag(version, alice, extra)
    return outcome(dag.check(dag.make(draft)))
  }

  test('is the creator’s without any invite', () => {
    expect(ALL_VERSIONS.map((version) => firstJoin(version, joinOf(alice)))).toEqual(Array(12).fill('allow'))
  })

  test('is nobody else’s', () => {
    expect(ALL_VERSIONS.map((version) => firstJoin(version, joinOf(bob)))).toEqual(
      Array(12).fill('auth.member.3.7'),
    )
  })

  test('is for the creator in the content up to version 10, for the sender after', () => {
    const content = { creator: bob }
    expect(ALL_VERSIONS.map((version) => firstJoin(version, joinOf(bob), content))).toEqual([
      ...Array(10).fill('allow'),
      'auth.member.3.7',
      'auth.member.3.7',
    ])
    expect(ALL_VERSIONS.map((version) => firstJoin(version, joinOf(alice), content))).toEqual([
      ...Array(10).fill('auth.member.3.7'),
      'allow',
      'allow',
    ])
  })

  test('is not for an additional creator', () => {
    expect(firstJoin('12', joinOf(bob), { additional_creators: [bob] })).toBe('auth.member.3.7')
  })

  test('is no longer free when the create event is not the only previous event', () => {
    const answers = ALL_VERSIONS.map((version) => {
      const dag = createDag(version)
      const join = dag.add(joinOf(alice))
      dag.add(memberOf('leave', alice, alice))
      const again = dag.make(joinOf(alice))
      const beside = dag.make({ ...joinOf(alice), after: [dag.create, join] })
      return [outcome(dag.check(again)), outcome(dag.check(beside))]
    })
    // Beside the join the creator is joined, so that joining again changes nothing and is allowed.
    expect(answers).toEqual(Array(12).fill(['auth.member.3.7', 'allow']))
  })
})

describe('3. a join', () => {
  cases(
    [
      '3.2 for another user is rejected',
      ALL_VERSIONS,
      { joinRule: 'public' },
      memberOf('join', alice, bob),
      'auth.member.3.2',
    ],
    [
      '3.3 of a banned user is rejected',
      ALL_VERSIONS,
      { joinRule: 'public', members: { [bob]: 'ban' } },
      joinOf(bob),
      'auth.member.3.3',
    ],
    [
      '3.4 under invite is rejected for a stranger',
      ALL_VERSIONS,
      { joinRule: 'invite' },
      joinOf(bob),
      'auth.member.3.7',
    ],
    ['3.4 without join rules is rejected for a stranger', ALL_VERSIONS, {}, joinOf(bob), 'auth.member.3.7'],
    [
      '3.4 under invite is allowed to the invited',
      ALL_VERSIONS,
      { joinRule: 'invite', members: { [bob]: 'invite' } },
      joinOf(bob),
      'allow',
    ],
    [
      '3.4 without join rules is allowed to the invited',
      ALL_VERSIONS,
      { members: { [bob]: 'invite' } },
      joinOf(bob),
      'allow',
    ],
    [
      '3.4 under invite is allowed to the joined',
      ALL_VERSIONS,
      { joinRule: 'invite', members: { [bob]: 'join' } },
      joinOf(bob),
      'allow',
    ],
    [
      '3.4 under invite is rejected for one who left',
      ALL_VERSIONS,
      { joinRule: 'invite', members: { [bob]: 'leave' } },
      joinOf(bob),
      'auth.member.3.7',
    ],
    [
      '3.4 under invite is rejected for one who knocked',
      onward(7),
      { joinRule: 'invite', members: { [bob]: 'knock' } },
      joinOf(bob),
      'auth.member.3.7',
    ],
    [
      '3.4 under knock is allowed to the invited from version 7 on',
      onward(7),
      { joinRule: 'knock', members: { [bob]: 'invite' } },
      joinOf(bob),
      'allow',
    ],
    [
      '3.4 under knock is rejected for the invited before',
      before(7),
      { joinRule: 'knock', members: { [bob]: 'invite' } },
      joinOf(bob),
      'auth.member.3.7',
    ],
    [
      '3.4 under knock is rejected for one who knocked',
      onward(7),
      { joinRule: 'knock', members: { [bob]: 'knock' } },
      joinOf(bob),
      'auth.member.3.7',
    ],
    ['3.6 under public is allowed to anyone', ALL_VERSIONS, { joinRule: 'public' }, joinOf(charlie), 'allow'],
    [
      '3.6 under public is allowed to one who left',
      ALL_VERSIONS,
      { joinRule: 'public', members: { [bob]: 'leave' } },
      joinOf(bob),
      'allow',
    ],
    [
      '3.7 under private is rejected even for the invited',
      ALL_VERSIONS,
      { joinRule: 'private', members: { [bob]: 'invite' } },
      joinOf(bob),
      'auth.member.3.7',
    ],
    [
      '3.7 under a rule nobody knows is rejected',
      ALL_VERSIONS,
      { joinRule: 'com.example' },
      joinOf(bob),
      'auth.member.3.7',
    ],
  )
})

describe('G-23: 3.5 a restricted join', () => {
  const vouched = (by: string) => joinOf(charlie, { join_authorised_via_users_server: by })
  const restricted = { joinRule: 'restricted', members: { [bob]: 'join' } } as const
  const knockRestricted = { ...restricted, joinRule: 'knock_restricted' } as const
  const inviteTakes60 = (version: RoomVersion) => ({
    invite: 60,
    users: version === '12' ? { [bob]: 50 } : { [alice]: 100, [bob]: 50 },
  })
  cases(
    [
      '3.5.1 is allowed to the invited',
      onward(8),
      { ...restricted, members: { [charlie]: 'invite' } },
      joinOf(charlie),
      'allow',
    ],
    [
      '3.5.1 is allowed to the joined',
      onward(8),
      { ...restricted, members: { [charlie]: 'join' } },
      joinOf(charlie),
      'allow',
    ],
    [
      '3.5.1 is not allowed to one who knocked',
      onward(8),
      { ...restricted, members: { [charlie]: 'knock' } },
      joinOf(charlie),
      'auth.member.3.5.2',
    ],
    [
      '3.5.2 without anyone who vouches is rejected',
      onward(8),
      restricted,
      joinOf(charlie),
      'auth.member.3.5.2',
    ],
    [
      '3.5.2 vouched by somebody outside is rejected',
      onward(8),
      restricted,
      vouched(mallory),
      'auth.member.3.5.2',
    ],
    [
      '3.5.2 vouched by somebody who left is rejected',
      onward(8),
      { ...restricted, members: { [bob]: 'leave' } },
      vouched(bob),
      'auth.member.3.5.2',
    ],
    [
      '3.5.2 vouched by an invited user is rejected',
      onward(8),
      { ...restricted, members: { [bob]: 'invite' } },
      vouched(bob),
      'auth.member.3.5.2',
    ],
    ['3.5.3 vouched by a member who may invite is allowed', onward(8), restricted, vouched(bob), 'allow'],
    [
      '3.3 of a banned user is rejected whoever vouches',
      onward(8),
      { ...restricted, members: { [bob]: 'join', [charlie]: 'ban' } },
      vouched(bob),
      'auth.member.3.3',
    ],
    [
      'under knock_restricted is allowed from version 10 on',
      onward(10),
      knockRestricted,
      vouched(bob),
      'allow',
    ],
    [
      'under knock_restricted is allowed to the invited from version 10 on',
      onward(10),
      { ...knockRestricted, members: { [charlie]: 'invite' } },
      joinOf(charlie),
      'allow',
    ],
    [
      'under knock_restricted is rejected before',
      versions(8, 9),
      knockRestricted,
      vouched(bob),
      'auth.member.3.7',
    ],
    [
      'does not exist before version 8',
      before(8),
      { ...restricted, members: { [charlie]: 'invite' } },
      joinOf(charlie),
      'auth.member.3.7',
    ],
  )

  test.each(onward(8))('3.5.2 vouched below the invite level is rejected in version %s', (version) => {
    holds([version], { ...restricted, levels: inviteTakes60(version) }, vouched(bob), 'auth.member.3.5.2')
    holds([version], { ...restricted, levels: inviteTakes60(version) }, vouched(alice), 'allow')
  })
})

describe('4. an invite', () => {
  const highInvite = { invite: 50, users: { [bob]: 50 } }
  cases(
    [
      '4.2 by somebody outside is rejected',
      ALL_VERSIONS,
      { joinRule: 'public' },
      memberOf('invite', bob, charlie),
      'auth.member.4.2',
    ],
    [
      '4.2 by an invited user is rejected',
      ALL_VERSIONS,
      { members: { [bob]: 'invite' } },
      memberOf('invite', bob, charlie),
      'auth.member.4.2',
    ],
    [
      '4.2 of oneself is rejected',
      ALL_VERSIONS,
      { joinRule: 'public' },
      memberOf('invite', bob, bob),
      'auth.member.4.2',
    ],
    [
      '4.3 of a joined user is rejected',
      ALL_VERSIONS,
      { members: { [bob]: 'join' } },
      memberOf('invite', alice, bob),
      'auth.member.4.3',
    ],
    [
      '4.3 of a banned user is rejected',
      ALL_VERSIONS,
      { members: { [bob]: 'ban' } },
      memberOf('invite', alice, bob),
      'auth.member.4.3',
    ],
    [
      '4.4 of a stranger is allowed',
      ALL_VERSIONS,
      { members: { [bob]: 'join' } },
      memberOf('invite', bob, charlie),
      'allow',
    ],
    [
      '4.4 of an invited user is allowed again',
      ALL_VERSIONS,
      { members: { [bob]: 'invite' } },
      memberOf('invite', alice, bob),
      'allow',
    ],
    [
      '4.4 of one who left is allowed',
      ALL_VERSIONS,
      { members: { [bob]: 'leave' } },
      memberOf('invite', alice, bob),
      'allow',
    ],
    [
      '4.4 of one who knocked is allowed',
      onward(7),
      { members: { [bob]: 'knock' } },
      memberOf('invite', alice, bob),
      'allow',
    ],
    [
      '4.4 at exactly the invite level is allowed',
      ALL_VERSIONS,
      { levels: highInvite, members: { [bob]: 'join' } },
      memberOf('invite', bob, charlie),
      'allow',
    ],
    [
      '4.5 below the invite level is rejected',
      ALL_VERSIONS,
      { levels: highInvite, members: { [charlie]: 'join' } },
      memberOf('invite', charlie, mallory),
      'auth.member.4.5',
    ],
  )
})

describe('G-22: 5. a leave', () => {
  const kickers = { kick: 50, ban: 60, users: { [bob]: 50, [charlie]: 60, [mallory]: 50 } }
  const present = { [bob]: 'join', [charlie]: 'join', [mallory]: 'join' } as const
  const room = (members: Record<string, string> = {}): Furnishing => ({
    levels: kickers,
    members: { ...present, ...members },
  })
  cases(
    [
      '5.1 of one’s own is allowed to the joined',
      ALL_VERSIONS,
      { members: { [bob]: 'join' } },
      memberOf('leave', bob, bob),
      'allow',
    ],
    [
      '5.1 of one’s own is allowed to the invited',
      ALL_VERSIONS,
      { members: { [bob]: 'invite' } },
      memberOf('leave', bob, bob),
      'allow',
    ],
    [
      '5.1 of one’s own is allowed to the knocking from version 7 on',
      onward(7),
      { members: { [bob]: 'knock' } },
      memberOf('leave', bob, bob),
      'allow',
    ],
    [
      '5.1 of one’s own is rejected for the knocking before',
      before(7),
      { members: { [bob]: 'knock' } },
      memberOf('leave', bob, bob),
      'auth.member.5.1',
    ],
    [
      '5.1 of one’s own is rejected for the banned',
      ALL_VERSIONS,
      { members: { [bob]: 'ban' } },
      memberOf('leave', bob, bob),
      'auth.member.5.1',
    ],
    [
      '5.1 of one’s own is rejected for one who left',
      ALL_VERSIONS,
      { members: { [bob]: 'leave' } },
      memberOf('leave', bob, bob),
      'auth.member.5.1',
    ],
    [
      '5.1 of one’s own is rejected for a stranger',
      ALL_VERSIONS,
      {},
      memberOf('leave', bob, bob),
      'auth.member.5.1',
    ],
    [
      '5.2 by somebody outside is rejected',
      ALL_VERSIONS,
      room({ [bob]: 'leave' }),
      memberOf('leave', bob, '@dave:b.example'),
      'auth.member.5.2',
    ],
    [
      '5.3 that lifts a ban is rejected below the ban level',
      ALL_VERSIONS,
      room({ '@dave:b.example': 'ban' }),
      memberOf('leave', bob, '@dave:b.example'),
      'auth.member.5.3',
    ],
    [
      '5.4 that lifts a ban is allowed at the ban level',
      ALL_VERSIONS,
      room({ '@dave:b.example': 'ban' }),
      memberOf('leave', charlie, '@dave:b.example'),
      'allow',
    ],
    [
      '5.4 that kicks a lower user is allowed',
      ALL_VERSIONS,
      room({ '@dave:b.example': 'join' }),
      memberOf('leave', bob, '@dave:b.example'),
      'allow',
    ],
    [
      '5.4 that takes back an invite is allowed',
      ALL_VERSIONS,
      room({ '@dave:b.example': 'invite' }),
      memberOf('leave', bob, '@dave:b.example'),
      'allow',
    ],
    [
      '5.5 that kicks an equal is rejected',
      ALL_VERSIONS,
      room(),
      memberOf('leave', bob, mallory),
      'auth.member.5.5',
    ],
    [
      '5.5 that kicks a higher user is rejected',
      ALL_VERSIONS,
      room(),
      memberOf('leave', bob, charlie),
      'auth.member.5.5',
    ],
    [
      '5.5 that kicks without the kick level is rejected',
      ALL_VERSIONS,
      room({ '@dave:b.example': 'join', '@eve:b.example': 'join' }),
      memberOf('leave', '@dave:b.example', '@eve:b.example'),
      'auth.member.5.5',
    ],
  )

  test('5.5 that lifts a ban needs the kick level too', () => {
    const levels = { kick: 70, ban: 40, users: { [bob]: 50 } }
    const room70 = { levels, members: { [bob]: 'join', [charlie]: 'ban' } } as const
    holds(ALL_VERSIONS, room70, memberOf('leave', bob, charlie), 'auth.member.5.5')
  })

  test('5.5 by one creator of another is rejected in version 12, 5.4 of anyone else allowed', () => {
    const room12 = {
      create: { additional_creators: [bob] },
      members: { [bob]: 'join', [charlie]: 'join' },
      levels: { users: { [charlie]: 2 ** 53 - 1 } },
    } as const
    holds(['12'], room12, memberOf('leave', alice, bob), 'auth.member.5.5')
    holds(['12'], room12, memberOf('leave', charlie, bob), 'auth.member.5.5')
    holds(['12'], room12, memberOf('leave', bob, charlie), 'allow')
  })
})

describe('6. a ban', () => {
  const members = { [bob]: 'join', [charlie]: 'join', [mallory]: 'join' } as const
  const levels = { users: { [bob]: 50, [charlie]: 50, [mallory]: 49 } }
  cases(
    [
      '6.1 by somebody outside is rejected',
      ALL_VERSIONS,
      { levels, members: { [bob]: 'leave' } },
      memberOf('ban', bob, mallory),
      'auth.member.6.1',
    ],
    [
      '6.2 of a lower user is allowed',
      ALL_VERSIONS,
      { levels, members },
      memberOf('ban', bob, mallory),
      'allow',
    ],
    [
      '6.2 of a stranger is allowed',
      ALL_VERSIONS,
      { levels, members },
      memberOf('ban', bob, '@dave:b.example'),
      'allow',
    ],
    [
      '6.2 of the banned is allowed',
      ALL_VERSIONS,
      { levels, members: { ...members, [mallory]: 'ban' } },
      memberOf('ban', bob, mallory),
      'allow',
    ],
    [
      '6.3 of an equal is rejected',
      ALL_VERSIONS,
      { levels, members },
      memberOf('ban', bob, charlie),
      'auth.member.6.3',
    ],
    [
      '6.3 of oneself is rejected',
      ALL_VERSIONS,
      { levels, members },
      memberOf('ban', bob, bob),
      'auth.member.6.3',
    ],
    [
      '6.3 below the ban level is rejected',
      ALL_VERSIONS,
      { levels, members },
      memberOf('ban', mallory, '@dave:b.example'),
      'auth.member.6.3',
    ],
    [
      '6.3 of a creator is rejected in version 12',
      ['12'],
      { levels: { users: { [bob]: 2 ** 53 - 1 } }, members },
      memberOf('ban', bob, alice),
      'auth.member.6.3',
    ],
  )
})

describe('G-24: 7. a knock', () => {
  const open = (membership?: string): Furnishing => ({
    joinRule: 'knock',
    ...(membership === undefined ? {} : { members: { [bob]: membership } }),
  })
  cases(
    ['does not exist before version 7', before(7), open(), memberOf('knock', bob, bob), 'auth.member.8'],
    [
      '7.1 under invite is rejected',
      onward(7),
      { joinRule: 'invite' },
      memberOf('knock', bob, bob),
      'auth.member.7.1',
    ],
    [
      '7.1 under public is rejected',
      onward(7),
      { joinRule: 'public' },
      memberOf('knock', bob, bob),
      'auth.member.7.1',
    ],
    [
      '7.1 under restricted is rejected',
      onward(7),
      { joinRule: 'restricted' },
      memberOf('knock', bob, bob),
      'auth.member.7.1',
    ],
    [
      '7.1 under knock_restricted is rejected before version 10',
      versions(7, 9),
      { joinRule: 'knock_restricted' },
      memberOf('knock', bob, bob),
      'auth.member.7.1',
    ],
    [
      '7.3 under knock_restricted is allowed from version 10 on',
      onward(10),
      { joinRule: 'knock_restricted' },
      memberOf('knock', bob, bob),
      'allow',
    ],
    ['7.2 for another user is rejected', onward(7), open(), memberOf('knock', alice, bob), 'auth.member.7.2'],
    ['7.3 of a stranger is allowed', onward(7), open(), memberOf('knock', bob, bob), 'allow'],
    ['7.3 of one who left is allowed', onward(7), open('leave'), memberOf('knock', bob, bob), 'allow'],
    ['7.3 again is allowed', onward(7), open('knock'), memberOf('knock', bob, bob), 'allow'],
    ['7.4 of the banned is rejected', onward(7), open('ban'), memberOf('knock', bob, bob), 'auth.member.7.4'],
    [
      '7.4 of the invited is rejected',
      onward(7),
      open('invite'),
      memberOf('knock', bob, bob),
      'auth.member.7.4',
    ],
    [
      '7.4 of the joined is rejected',
      onward(7),
      open('join'),
      memberOf('knock', bob, bob),
      'auth.member.7.4',
    ],
  )
})

describe('the places that the rule for members asks for', () => {
  test('are those that the selection lists, and the create event', () => {
    const asked = (dag: Dag, draft: Draft) => {
      const event = dag.make(draft)
      const listed = new Set(
        ['m.room.create/', ...authStateKeys(dag.rules, event.pdu).map((key) => key.join('/'))],
      )
      const strays: string[] = []
      const state = dag.lookup(dag.stateBefore(dag.events.slice(-1)))
      checkEventAuth(dag.rules, event, (type, key) => {
        if (!listed.has(`${type}/${key}`)) strays.push(`${type}/${key}`)
        return state(type, key)
      })
      return strays
    }
    const drafts = ['join', 'invite', 'leave', 'ban', 'knock'].flatMap((membership) => [
      memberOf(membership, bob, bob),
      memberOf(membership, bob, charlie, { join_authorised_via_users_server: alice }),
      memberOf(membership, charlie, charlie, { join_authorised_via_users_server: alice }),
      memberOf(
        membership,
        alice,
        charlie,
        { third_party_invite: { signed: { mxid: charlie, token: 'abc' } } },
      ),
    ])
    for (const version of ALL_VERSIONS) {
      for (const joinRule of ['public', 'invite', 'knock', 'restricted', 'knock_restricted']) {
        const dag = furnishedRoom(version, { joinRule, members: { [bob]: 'join' } })
        expect(drafts.flatMap((draft) => asked(dag, draft))).toEqual([])
      }
    }
  })
})
