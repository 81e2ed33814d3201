import { describe, expect, test } from 'bun:test'
import type { RoomEvent } from '#schema/pdu.ts'
import { type StateKey, stateKeyOf } from '#core/state-key.ts'
import { resolveState } from '#core/state-res/resolve.ts'
import {
  type Dag,
  createDag,
  joinOf,
  joinRuleBy,
  memberOf,
  powerLevelsBy,
  rulesOf,
  topicBy,
} from '#harness/dag.ts'
import type { EventId } from '#schema/identifiers.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'
const charlie = '@charlie:b.example'
const JOIN_RULES = stateKeyOf('m.room.join_rules', '')
const memberKey = (user: string) => stateKeyOf('m.room.member', user)

/** A room of version 12 whose rules resolve states the old way: the same events under two algorithms. */
const bothWays = (dag: Dag, states: readonly ReadonlyMap<StateKey, EventId>[], key: StateKey) => ({
  'v2': resolveState({ ...rulesOf('12'), stateRes: 'v2' }, states, dag.event).get(key),
  'v2.1': resolveState(rulesOf('12'), states, dag.event).get(key),
})

const without = (state: ReadonlyMap<StateKey, EventId>, ...keys: readonly StateKey[]) =>
  new Map([...state].filter(([key]) => !keys.includes(key)))

describe('G-31: state resolution of version 12', () => {
  /** A public room that bob and charlie joined, and that alice closed afterwards. */
  const closedRoom = () => {
    const dag = createDag('12')
    dag.add(joinOf(alice))
    dag.add(powerLevelsBy(alice, { users: {} }))
    const open = dag.add(joinRuleBy(alice, 'public'))
    const bobsJoin = dag.add(joinOf(bob))
    const charliesJoin = dag.add(joinOf(charlie))
    const closed = dag.add(joinRuleBy(alice, 'invite'))
    return { dag, open, bobsJoin, charliesJoin, closed }
  }

  test('keeps a member whom one state lacks, by the rules that let them in', () => {
    const { dag, bobsJoin, closed } = closedRoom()
    // Both states have the stricter rule; version 2 lets it decide on a join that came before it.
    const whole = dag.stateAfter(closed)
    expect(bothWays(dag, [whole, without(whole, memberKey(bob))], memberKey(bob))).toEqual({
      'v2': undefined,
      'v2.1': bobsJoin.eventId,
    })
  })

  test('goes by all that lies between two conflicted events, shared or not', () => {
    const dag = createDag('12')
    dag.add(joinOf(alice))
    const generous = dag.add(powerLevelsBy(alice, { users: { [bob]: 50 } }))
    dag.add(joinRuleBy(alice, 'public'))
    const bobsJoin = dag.add(joinOf(bob))
    const kick = dag.add(memberOf('leave', alice, bob))
    const back = dag.add(joinOf(bob))
    const topic = dag.add({ ...topicBy(bob, 'back again'), authEvents: [generous, back] })
    // One state still has the first join and no topic; the kick between the two joins is in neither state.
    const late = dag.stateAfter(topic)
    const early = without(new Map(late).set(memberKey(bob), bobsJoin.eventId), stateKeyOf('m.room.topic', ''))
    const answer = resolveState(dag.rules, [late, early], dag.event)
    expect([answer.get(memberKey(bob)), answer.get(stateKeyOf('m.room.topic', ''))]).toEqual(
      [back.eventId, topic.eventId],
    )
    expect(kick.pdu.content['membership']).toBe('leave')
  })

  test('lets what the states share stand above what was resolved', () => {
    const { dag, open, closed, bobsJoin } = closedRoom()
    const whole = dag.stateAfter(closed)
    const states: ReadonlyMap<StateKey, EventId>[] = [whole, without(whole, memberKey(bob))]
    const answer = resolveState(dag.rules, states, dag.event)
    expect(answer.get(JOIN_RULES)).toBe(closed.eventId)
    expect(answer.get(JOIN_RULES)).not.toBe(open.eventId)
    expect(answer.get(memberKey(bob))).toBe(bobsJoin.eventId)
  })

  test('still refuses what the join rules of the time refuse', () => {
    const { dag, closed } = closedRoom()
    const intruder: RoomEvent = dag.add(joinOf('@mallory:b.example'))
    const states = [dag.stateAfter(intruder), dag.stateAfter(closed)]
    expect(bothWays(dag, states, memberKey('@mallory:b.example'))).toEqual(
      { 'v2': undefined, 'v2.1': undefined },
    )
  })
})
