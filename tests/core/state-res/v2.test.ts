import { describe, expect, test } from 'bun:test'
import type { RoomEvent } from '#schema/pdu.ts'
import { type StateKey, stateKeyOf } from '#core/state-key.ts'
import { resolveState } from '#core/state-res/resolve.ts'
import { isPowerEvent } from '#core/state-res/v2.ts'
import {
  type Dag,
  type Draft,
  createDag,
  joinOf,
  joinRuleBy,
  memberOf,
  powerLevelsBy,
  topicBy,
  versions,
} from '#harness/dag.ts'
import type { EventId } from '#schema/identifiers.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'
const charlie = '@charlie:b.example'
const TOPIC = stateKeyOf('m.room.topic', '')
const POWER_LEVELS = stateKeyOf('m.room.power_levels', '')
const JOIN_RULES = stateKeyOf('m.room.join_rules', '')
const memberKey = (user: string) => stateKeyOf('m.room.member', user)

type Answers = Readonly<Record<StateKey, EventId | undefined>>

const room = (version: (typeof tested)[number]) => {
  const dag = createDag(version)
  dag.add(joinOf(alice))
  dag.add(powerLevelsBy(alice, { users: version === '12' ? { [bob]: 50 } : { [alice]: 100, [bob]: 50 } }))
  dag.add(joinRuleBy(alice, 'public'))
  const base = dag.add(joinOf(bob))
  return { dag, base }
}

const tested = versions(2, 12)

/** What the states after these ends come to at the given keys, whichever way round. */
const settled = (dag: Dag, ends: readonly RoomEvent[], keys: readonly StateKey[]): Answers => {
  const states = ends.map((end) => dag.stateAfter(end))
  const answer = resolveState(dag.rules, states, dag.event)
  expect(resolveState(dag.rules, states.toReversed(), dag.event)).toEqual(answer)
  return Object.fromEntries(keys.map((key) => [key, answer.get(key)]))
}

/** Puts drafts in one behind the other. */
const chain = (dag: Dag, start: RoomEvent, ...drafts: readonly Draft[]): RoomEvent =>
  drafts.reduce((end, draft) => dag.add({ ...draft, after: [end] }), start)

const levels = (version: string, users: Record<string, number>, more = {}) => ({
  users: version === '12' ? users : { [alice]: 100, ...users },
  ...more,
})

describe.each(tested)('in version %s', (version) => {
  test('a ban stands against what the banned did at the same time', () => {
    const { dag, base } = room(version)
    const ban = dag.add({ ...memberOf('ban', alice, bob), after: [base] })
    const topic = dag.add({ ...topicBy(bob, 'bob was here'), after: [base] })
    expect(settled(dag, [ban, topic], [memberKey(bob), TOPIC])).toEqual({
      [memberKey(bob)]: ban.eventId,
      [TOPIC]: undefined,
    })
  })

  test('a ban stands against power levels of the banned, even earlier ones', () => {
    const { dag, base } = room(version)
    const bobs = dag.add(
      { ...powerLevelsBy(bob, levels(version, { [bob]: 50 }, { ban: 40 })), after: [base], ts: 1 },
    )
    const ban = dag.add({ ...memberOf('ban', alice, bob), after: [base] })
    expect(settled(dag, [ban, bobs], [memberKey(bob), POWER_LEVELS])).toEqual({
      [memberKey(bob)]: ban.eventId,
      [POWER_LEVELS]: dag.stateAfter(base).get(POWER_LEVELS),
    })
  })

  test('a demotion stands against what the demoted did at the same time', () => {
    const { dag, base } = room(version)
    const demotion = dag.add({ ...powerLevelsBy(alice, levels(version, {})), after: [base] })
    const bobs = chain(dag, base, joinRuleBy(bob, 'invite'), topicBy(bob, 'bob was here'))
    expect(settled(dag, [demotion, bobs], [POWER_LEVELS, JOIN_RULES, TOPIC])).toEqual({
      [POWER_LEVELS]: demotion.eventId,
      [JOIN_RULES]: dag.stateAfter(base).get(JOIN_RULES),
      [TOPIC]: undefined,
    })
  })

  test('a stricter join rule stands against a join at the same time', () => {
    const { dag, base } = room(version)
    const closed = dag.add({ ...joinRuleBy(alice, 'invite'), after: [base] })
    const join = dag.add({ ...joinOf(charlie), after: [base] })
    expect(settled(dag, [closed, join], [JOIN_RULES, memberKey(charlie)])).toEqual({
      [JOIN_RULES]: closed.eventId,
      [memberKey(charlie)]: undefined,
    })
  })

  test('of two topics the one on newer power levels stands, however early', () => {
    const { dag, base } = room(version)
    const on = chain(dag, base, powerLevelsBy(alice, levels(version, { [bob]: 50 }, { ban: 60 })))
    const newer = dag.add({ ...topicBy(alice, 'newer'), after: [on], ts: 1 })
    const older = dag.add({ ...topicBy(alice, 'older'), after: [base] })
    expect(settled(dag, [newer, older], [TOPIC])).toEqual({ [TOPIC]: newer.eventId })
  })

  test('of two topics on the same power levels the later stands, then the greater id', () => {
    const { dag, base } = room(version)
    const [one, two, three] = (['a', 'b', 'c'] as const).map((id, at) =>
      dag.add({ ...topicBy(alice, id), id, after: [base], ts: at === 0 ? 8 : 9 }),
    )
    if (!one || !two || !three) throw new Error('three topics')
    expect(settled(dag, [one, two], [TOPIC])).toEqual({ [TOPIC]: two.eventId })
    expect(settled(dag, [three, one, two], [TOPIC])).toEqual({ [TOPIC]: three.eventId })
  })

  test('somebody who left and joined again on two sides is there or not by time alone', () => {
    const { dag, base } = room(version)
    const left = dag.add({ ...memberOf('leave', bob, bob), after: [base] })
    const renamed = dag.add({ ...joinOf(bob, { displayname: 'b' }), after: [base] })
    expect(settled(dag, [left, renamed], [memberKey(bob)])).toEqual({ [memberKey(bob)]: renamed.eventId })
  })

  test('a third end that says nothing new changes nothing', () => {
    const { dag, base } = room(version)
    const ban = dag.add({ ...memberOf('ban', alice, bob), after: [base] })
    const topic = dag.add({ ...topicBy(bob, 'bob was here'), after: [base] })
    const keys = [memberKey(bob), TOPIC]
    expect(settled(dag, [ban, topic, base], keys)).toEqual(settled(dag, [ban, topic], keys))
  })

  test('a state that is not there yet gives way to everything', () => {
    const { dag, base } = room(version)
    const answer = resolveState(dag.rules, [new Map(), dag.stateAfter(base)], dag.event)
    expect(answer).toEqual(new Map(dag.stateAfter(base)))
  })
})

describe('G-29: a power event', () => {
  const dag = createDag('10')
  const is = (draft: Draft) => isPowerEvent(dag.make(draft))
  test.each([
    ['is one that sets power levels', powerLevelsBy(alice, {}), true],
    ['is one that sets join rules', joinRuleBy(alice, 'public'), true],
    ['is the create event', { type: 'm.room.create', sender: alice, stateKey: '' }, true],
    ['is a kick', memberOf('leave', alice, bob), true],
    ['is a ban', memberOf('ban', alice, bob), true],
    ['is no leave of one’s own', memberOf('leave', bob, bob), false],
    ['is no join', joinOf(bob), false],
    ['is no invite', memberOf('invite', alice, bob), false],
    ['is no topic', topicBy(alice, 'hello'), false],
    ['is none that sets power levels at another key', { ...powerLevelsBy(alice, {}), stateKey: 'x' }, false],
    ['is none that sets join rules at another key', { ...joinRuleBy(alice, 'public'), stateKey: 'x' }, false],
    [
      'is no member event whose membership is no text',
      { type: 'm.room.member', sender: alice, stateKey: bob },
      false,
    ],
  ] as const)('%s', (_, draft, expected) => {
    expect(is(draft)).toBe(expected)
  })
})

describe('G-30: what the states share', () => {
  test('stands above what was resolved at the same key', () => {
    const { dag, base } = room('10')
    // Both states have the power levels of the base, and one has a topic sent under others.
    const away = dag.add({ ...powerLevelsBy(alice, levels('10', { [bob]: 50 }, { ban: 60 })), after: [base] })
    const topic = dag.add({ ...topicBy(alice, 'on the way'), after: [away] })
    const one = new Map(dag.stateAfter(topic)).set(
      POWER_LEVELS,
      dag.stateAfter(base).get(POWER_LEVELS) ?? '$none',
    )
    const answer = resolveState(dag.rules, [one, dag.stateAfter(base)], dag.event)
    expect(answer.get(POWER_LEVELS)).toBe(dag.stateAfter(base).get(POWER_LEVELS))
    expect(answer.get(TOPIC)).toBe(topic.eventId)
  })
})
