import { describe, expect, test } from 'bun:test'
import { authStateKeys, selectAuthEvents } from '#core/event-auth/select.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { RoomVersion } from '#core/room-version.ts'
import { createDag, furnishedRoom, joinOf, memberOf, messageBy, rulesOf, versions } from '#harness/dag.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'

/** The selected places, shortened to `type/state_key` without the common `m.room.`. */
const selected = (version: RoomVersion, type: string, content: JsonObject = {}, state_key?: string) => {
  const pdu = { type, sender: bob, content, ...(state_key === undefined ? {} : { state_key }) } as const
  return authStateKeys(rulesOf(version), pdu).map(
    ([ofType, stateKey]) => `${ofType.slice('m.room.'.length)}/${stateKey}`,
  )
}

const BASIS = ['create/', 'power_levels/', `member/${bob}`]

describe('the selection of auth events', () => {
  test('of a create event is empty', () => {
    expect(selected('10', 'm.room.create', {}, '')).toEqual([])
  })

  test('G-15: of any event is create, power levels and the sender', () => {
    for (const version of versions(1, 11)) expect(selected(version, 'm.room.message')).toEqual(BASIS)
    expect(selected('10', 'm.room.topic', {}, '')).toEqual(BASIS)
  })

  test('G-18: in version 12 never has the create event', () => {
    expect(selected('12', 'm.room.message')).toEqual(['power_levels/', `member/${bob}`])
    expect(selected('12', 'm.room.member', { membership: 'join' }, bob)).not.toContain('create/')
  })

  test.each([
    ['join', bob, ['join_rules/']],
    ['knock', bob, ['join_rules/']],
    ['leave', bob, []],
    ['invite', alice, [`member/${alice}`, 'join_rules/']],
    ['leave', alice, [`member/${alice}`]],
    ['ban', alice, [`member/${alice}`]],
    [7, alice, [`member/${alice}`]],
  ] as const)('G-15: of a member event with membership %p for %s adds %p', (membership, target, added) => {
    for (const version of versions(1, 11))
      expect(selected(version, 'm.room.member', { membership }, target)).toEqual([...BASIS, ...added])
  })

  test('of a member event without content or state key still answers', () => {
    expect(selected('10', 'm.room.member')).toEqual(BASIS)
  })

  test.each([
    ['names a token', 'invite', { signed: { token: 'abc' } }, ['third_party_invite/abc']],
    ['names no token', 'invite', { signed: {} }, []],
    ['is no object', 'invite', 'abc', []],
    ['has a signed part that is no object', 'invite', { signed: 'abc' }, []],
    ['has a token that is no text', 'invite', { signed: { token: 5 } }, []],
    ['stands in another membership', 'join', { signed: { token: 'abc' } }, []],
  ] as const)('G-15: of a member event whose third-party invite %s', (_, membership, given, added) => {
    const content = { membership, third_party_invite: given }
    expect(selected('10', 'm.room.member', content, alice)).toEqual([
      ...BASIS,
      `member/${alice}`,
      'join_rules/',
      ...added,
    ])
  })

  test('G-15: of a restricted join has the member who vouches, from version 8 on', () => {
    const content = { membership: 'join', join_authorised_via_users_server: alice }
    for (const version of versions(1, 7))
      expect(selected(version, 'm.room.member', content, bob)).toEqual([...BASIS, 'join_rules/'])
    for (const version of versions(8, 11))
      expect(selected(version, 'm.room.member', content, bob)).toEqual(
        [...BASIS, 'join_rules/', `member/${alice}`],
      )
  })

  test('names each place once, whoever vouches', () => {
    const vouching = (user: string) => ({ membership: 'join', join_authorised_via_users_server: user })
    expect(selected('10', 'm.room.member', vouching(bob), bob)).toEqual([...BASIS, 'join_rules/'])
    expect(selected('10', 'm.room.member', vouching(alice), alice)).toEqual(
      [...BASIS, `member/${alice}`, 'join_rules/'],
    )
    expect(selected('10', 'm.room.member', { ...vouching(alice), membership: 'invite' }, bob)).toEqual([
      ...BASIS,
      'join_rules/',
    ])
  })

  test('gives the events that the state has, in order, and passes over what it lacks', () => {
    const dag = createDag('10')
    const join = dag.add(joinOf(alice))
    const message = dag.make(messageBy(alice))
    const state = dag.lookup(dag.stateAfter(join))
    expect(selectAuthEvents(dag.rules, message.pdu, state)).toEqual([dag.create, join])
  })

  test('gives an invite everything it stands on', () => {
    const dag = furnishedRoom('10', { joinRule: 'invite', members: { [bob]: 'leave' } })
    const invite = dag.make(memberOf('invite', alice, bob))
    expect(invite.pdu.auth_events).toEqual(['$create', '$e2', '$e1', '$e4', '$e3'])
  })
})
