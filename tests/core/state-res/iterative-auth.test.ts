import { describe, expect, test } from 'bun:test'
import type { RoomEvent } from '#schema/pdu.ts'
import { applyAllowed } from '#core/state-res/iterative-auth.ts'
import { type Dag, createDag, joinOf, memberOf, powerLevelsBy, topicBy } from '#harness/dag.ts'
import type { EventId } from '#schema/identifiers.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'
const TOPIC = 'm.room.topic\0'

const resolve = (dag: Dag, ordered: readonly RoomEvent[], base: ReadonlyMap<string, EventId> = new Map()) => {
  const resolved = new Map<string, EventId>()
  applyAllowed(dag.rules, ordered, resolved, (key) => base.get(key), dag.event)
  return resolved
}

const room = (version: '10' | '12' = '10') => {
  const dag = createDag(version)
  const alicesJoin = dag.add(joinOf(alice))
  const content = version === '12' ? { users: { [bob]: 50 } } : { users: { [alice]: 100, [bob]: 50 } }
  const levels = dag.add(powerLevelsBy(alice, content))
  const bobsJoin = dag.add(joinOf(bob))
  return { dag, alicesJoin, levels, bobsJoin }
}

describe('G-33: the iterative auth checks', () => {
  test('go by the event’s own auth events where the state has nothing', () => {
    const { dag } = room()
    const topic = dag.add(topicBy(bob, 'hello'))
    expect(resolve(dag, [topic])).toEqual(new Map([[TOPIC, topic.eventId]]))
  })

  test('prefer what is resolved so far', () => {
    const { dag } = room()
    const topic = dag.add(topicBy(bob, 'hello'))
    const ban = dag.add(memberOf('ban', alice, bob))
    expect(resolve(dag, [ban, topic]).has(TOPIC)).toBe(false)
    expect(resolve(dag, [topic, ban]).get(TOPIC)).toBe(topic.eventId)
  })

  test('prefer the state they start from', () => {
    const { dag } = room()
    const topic = dag.add(topicBy(bob, 'hello'))
    const base = dag.stateAfter(dag.add(memberOf('ban', alice, bob)))
    expect(resolve(dag, [topic], base)).toEqual(new Map())
  })

  test('put the later of two allowed events in the place of the earlier', () => {
    const { dag } = room()
    const [one, two] = [dag.add(topicBy(alice, 'one')), dag.add(topicBy(alice, 'two'))]
    expect(resolve(dag, [two, one])).toEqual(new Map([[TOPIC, one.eventId]]))
  })

  test('G-18: find the create event of version 12 by the room id', () => {
    const { dag } = room('12')
    const topic = dag.add(topicBy(alice, 'hello'))
    expect(resolve(dag, [topic])).toEqual(new Map([[TOPIC, topic.eventId]]))
  })

  test('G-32: pass over rejected auth events', () => {
    const { dag, levels } = room()
    const sourJoin = dag.add({ ...joinOf(bob), rejected: true })
    const topic = dag.add({ ...topicBy(bob, 'hello'), authEvents: [dag.create, levels, sourJoin] })
    expect(resolve(dag, [topic])).toEqual(new Map())
  })

  test('G-32: try an event that was rejected like any other, as the spec has it', () => {
    const { dag } = room()
    const topic = dag.add({ ...topicBy(bob, 'hello'), rejected: true })
    expect(resolve(dag, [topic])).toEqual(new Map([[TOPIC, topic.eventId]]))
  })

  test('take no event that never had a place in the state', () => {
    const { dag } = room()
    expect(resolve(dag, [dag.add({ type: 'm.room.message', sender: alice })])).toEqual(new Map())
  })

  test('go by the auth events where the state names one that never arrived', () => {
    const { dag } = room()
    const topic = dag.add(topicBy(bob, 'hello'))
    expect(resolve(dag, [topic], new Map([[`m.room.member\0${bob}`, '$lost']]))).toEqual(
      new Map([[TOPIC, topic.eventId]]),
    )
  })
})
