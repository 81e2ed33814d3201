import { describe, expect, test } from 'bun:test'
import { sha1Hex } from '#core/digest.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import { type StateKey, stateKeyOf } from '#core/state-key.ts'
import { resolveState } from '#core/state-res/resolve.ts'
import { type Dag, createDag, joinOf, joinRuleBy, memberOf, powerLevelsBy, topicBy } from '#harness/dag.ts'
import type { EventId } from '#schema/identifiers.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'
const charlie = '@charlie:b.example'
const TOPIC = stateKeyOf('m.room.topic', '')
const POWER_LEVELS = stateKeyOf('m.room.power_levels', '')
const JOIN_RULES = stateKeyOf('m.room.join_rules', '')

const room = () => {
  const dag = createDag('1')
  dag.add(joinOf(alice))
  dag.add(powerLevelsBy(alice, { users: { [alice]: 100, [bob]: 50 } }))
  dag.add(joinRuleBy(alice, 'public'))
  const base = dag.add(joinOf(bob))
  return { dag, base }
}

/** The event that the states after these come to agree on at a key. */
const winner = (dag: Dag, key: StateKey, ...ends: readonly RoomEvent[]): EventId | undefined => {
  const states = ends.map((end) => dag.stateAfter(end))
  const answer = resolveState(dag.rules, states, dag.event).get(key)
  expect(resolveState(dag.rules, states.toReversed(), dag.event).get(key)).toBe(answer)
  return answer
}

describe('G-29: state resolution of version 1, among ordinary events', () => {
  test('takes the one of the greatest depth', () => {
    const { dag, base } = room()
    const low = dag.add({ ...topicBy(alice, 'low'), after: [base] })
    const step = dag.add({ type: 'm.room.message', sender: alice, after: [base] })
    const high = dag.add({ ...topicBy(bob, 'high'), after: [step] })
    expect(winner(dag, TOPIC, low, high)).toBe(high.eventId)
  })

  test('at equal depth takes the one whose id has the lowest SHA-1', () => {
    const { dag, base } = room()
    const topics = ['one', 'two', 'three', 'four'].map(
      (id) => dag.add({ ...topicBy(alice, id), id, after: [base] }),
    )
    const lowest = topics.map(({ eventId }) => eventId).toSorted(
      (one, other) => (sha1Hex(one) < sha1Hex(other) ? -1 : 1),
    )[0]
    expect(winner(dag, TOPIC, ...topics)).toBe(lowest)
  })

  test('passes over one that the resolved state does not allow', () => {
    const { dag, base } = room()
    const ban = dag.add({ ...memberOf('ban', alice, bob), after: [base] })
    const low = dag.add({ ...topicBy(alice, 'low'), after: [ban] })
    const steps = [1, 2, 3].reduce(
      (end) => dag.add({ type: 'm.room.message', sender: alice, after: [end] }),
      base,
    )
    const high = dag.add({ ...topicBy(bob, 'high'), after: [steps] })
    expect(winner(dag, TOPIC, low, high)).toBe(low.eventId)
  })

  test('takes the lowest when none is allowed', () => {
    const { dag, base } = room()
    const low = dag.add({ ...topicBy(charlie, 'low'), after: [base] })
    const step = dag.add({ type: 'm.room.message', sender: alice, after: [base] })
    const high = dag.add({ ...topicBy(charlie, 'high'), after: [step] })
    expect(winner(dag, TOPIC, low, high)).toBe(low.eventId)
  })

  test('sees no conflict in what one state alone has', () => {
    const { dag, base } = room()
    const topic = dag.add({ ...topicBy(charlie, 'not allowed'), after: [base] })
    expect(winner(dag, TOPIC, base, topic)).toBe(topic.eventId)
  })
})

describe('G-29: state resolution of version 1, among events that the rules look at', () => {
  test('goes up from the least depth as long as each replaces the one before', () => {
    const { dag, base } = room()
    const one = dag.add(
      { ...powerLevelsBy(alice, { users: { [alice]: 100, [bob]: 50 }, ban: 10 }), after: [base] },
    )
    const step = dag.add({ type: 'm.room.message', sender: alice, after: [base] })
    const two = dag.add(
      { ...powerLevelsBy(bob, { users: { [alice]: 100, [bob]: 50 }, ban: 20 }), after: [step] },
    )
    expect(winner(dag, POWER_LEVELS, one, two)).toBe(two.eventId)
  })

  test('stops at the first that may not replace the one before', () => {
    const { dag, base } = room()
    const demotion = dag.add({ ...powerLevelsBy(alice, { users: { [alice]: 100 } }), after: [base] })
    const step = dag.add({ type: 'm.room.message', sender: alice, after: [base] })
    const bobs = dag.add(
      { ...powerLevelsBy(bob, { users: { [alice]: 100, [bob]: 50 }, ban: 20 }), after: [step] },
    )
    const further = dag.add({ type: 'm.room.message', sender: alice, after: [step] })
    const alices = dag.add(
      { ...powerLevelsBy(alice, { users: { [alice]: 100 }, ban: 30 }), after: [further] },
    )
    expect(winner(dag, POWER_LEVELS, demotion, bobs, alices)).toBe(demotion.eventId)
  })

  test('settles power levels before join rules and those before members', () => {
    const { dag, base } = room()
    const demotion = dag.add({ ...powerLevelsBy(alice, { users: { [alice]: 100 } }), after: [base] })
    const closed = dag.add({ ...joinRuleBy(alice, 'invite'), after: [demotion] })
    const open = [1, 2, 3].reduce(
      (end) => dag.add({ type: 'm.room.message', sender: alice, after: [end] }),
      base,
    )
    const bobs = dag.add({ ...joinRuleBy(bob, 'public'), after: [open] })
    const levels = dag.add(
      { ...powerLevelsBy(bob, { users: { [alice]: 100, [bob]: 50 }, kick: 10 }), after: [bobs] },
    )
    // bob lost his level, so neither his power levels nor his join rules stand.
    expect(winner(dag, JOIN_RULES, closed, levels)).toBe(closed.eventId)
    expect(winner(dag, POWER_LEVELS, closed, levels)).toBe(demotion.eventId)
  })

  test('settles each member by itself', () => {
    const { dag, base } = room()
    const joined = dag.add({ ...joinOf(charlie), after: [base] })
    const left = dag.add({ ...memberOf('leave', charlie, charlie), after: [joined] })
    const again = dag.add({ ...joinOf(charlie, { displayname: 'c' }), after: [joined] })
    const bobLeft = dag.add({ ...memberOf('leave', bob, bob), after: [left] })
    const key = stateKeyOf('m.room.member', charlie)
    const expected = sha1Hex(left.eventId) < sha1Hex(again.eventId) ? [again, left] : [left, again]
    // Both are allowed after each other, so the last of them stands: the lower SHA-1.
    expect(winner(dag, key, bobLeft, again)).toBe(expected[1]?.eventId)
    expect(winner(dag, stateKeyOf('m.room.member', bob), bobLeft, again)).toBe(bobLeft.eventId)
  })

  test('takes no part of events that never arrived', () => {
    const { dag, base } = room()
    const topic = dag.add({ ...topicBy(alice, 'hello'), after: [base] })
    const other = new Map(dag.stateAfter(base)).set(TOPIC, '$lost:a.example')
    const answer = resolveState(dag.rules, [dag.stateAfter(topic), other], dag.event)
    expect(answer.get(TOPIC)).toBe(topic.eventId)
  })
})
