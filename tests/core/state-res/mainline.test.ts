import { describe, expect, test } from 'bun:test'
import type { RoomEvent } from '#schema/pdu.ts'
import { mainlineOrder } from '#core/state-res/mainline.ts'
import { type Dag, createDag, joinOf, powerLevelsBy, topicBy } from '#harness/dag.ts'

const alice = '@alice:a.example'

/** Three power levels, each citing the one before, and a fourth beside the third. */
const room = () => {
  const dag = createDag('10')
  const join = dag.add(joinOf(alice))
  const levels = (id: string, ...cited: RoomEvent[]) =>
    dag.add({ ...powerLevelsBy(alice, {}), id, authEvents: [dag.create, ...cited, join] })
  const oldest = levels('p1')
  const middle = levels('p2', oldest)
  const newest = levels('p3', middle)
  const beside = levels('q3', middle)
  const topic = (id: string, ts: number, ...cited: RoomEvent[]) =>
    dag.add({ ...topicBy(alice, id), id, ts, authEvents: [dag.create, ...cited, join] })
  return { dag, oldest, middle, newest, beside, topic }
}

const order = (dag: Dag, events: readonly RoomEvent[], powerLevels: RoomEvent | undefined) => {
  const numbers = new Map(dag.events.map(({ eventId }, at) => [eventId, at]))
  const conflict = { event: dag.event, order: (id: `$${string}`) => numbers.get(id) ?? -1 }
  return mainlineOrder(events, powerLevels, conflict).map(({ eventId }) => eventId)
}

describe('G-30: the mainline ordering', () => {
  test('puts what stands on older power levels first', () => {
    const { dag, oldest, middle, newest, topic } = room()
    const [a, b, c] = [topic('a', 1, newest), topic('b', 2, middle), topic('c', 3, oldest)]
    expect(order(dag, [a, b, c], newest)).toEqual([c.eventId, b.eventId, a.eventId])
  })

  test('follows power levels beside the mainline back to it', () => {
    const { dag, middle, newest, beside, topic } = room()
    const [a, b, c] = [topic('a', 3, beside), topic('b', 2, middle), topic('c', 1, newest)]
    expect(order(dag, [a, b, c], newest)).toEqual([b.eventId, a.eventId, c.eventId])
  })

  test('puts what leads to no part of the mainline before all others', () => {
    const { dag, oldest, newest, topic } = room()
    const [a, b] = [topic('a', 1, oldest), topic('b', 2)]
    expect(order(dag, [a, b], newest)).toEqual([b.eventId, a.eventId])
  })

  test('goes by the power levels that a power levels event cites, not by itself', () => {
    const { dag, middle, newest, topic } = room()
    const onMiddle = topic('a', 1_000_000_000_000, middle)
    expect(order(dag, [newest, onMiddle], newest)).toEqual([onMiddle.eventId, newest.eventId])
  })

  test('at one position goes by time, then id', () => {
    const { dag, newest, topic } = room()
    const [a, b, c] = [topic('c', 2, newest), topic('b', 1, newest), topic('a', 2, newest)]
    expect(order(dag, [a, b, c], newest)).toEqual([b.eventId, c.eventId, a.eventId])
  })

  test('without power levels goes by time and id alone', () => {
    const { dag, oldest, newest, topic } = room()
    const [a, b] = [topic('a', 2, oldest), topic('b', 1, newest)]
    expect(order(dag, [a, b], undefined)).toEqual([b.eventId, a.eventId])
  })

  test('looks no further back on the mainline than the events reach', () => {
    const { dag, oldest, newest, topic } = room()
    const [a, b] = [topic('a', 2, newest), topic('b', 1, newest)]
    const numbers = new Map(dag.events.map(({ eventId }, at) => [eventId, at]))
    const looked = new Set<string>()
    const event = (id: `$${string}`) => {
      looked.add(id)
      return dag.event(id)
    }
    mainlineOrder([a, b], newest, { event, order: (id) => numbers.get(id) ?? -1 })
    expect(looked.has(oldest.eventId)).toBe(false)
  })
})
