import { describe, expect, test } from 'bun:test'
import { topologicalPowerOrder } from '#core/state-res/topological-order.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import { type Dag, createDag, joinOf, powerLevelsBy } from '#harness/dag.ts'

const alice = '@alice:a.example'
const bob = '@bob:a.example'

const order = (dag: Dag, events: readonly RoomEvent[]) =>
  topologicalPowerOrder(dag.rules, new Map(events.map((event) => [event.eventId, event])), dag.event).map(
    ({ eventId }) => eventId,
  )

/** A room where alice has 100 and bob 50, both joined. */
const roomOfTwo = () => {
  const dag = createDag('10')
  const alicesJoin = dag.add(joinOf(alice))
  const levels = dag.add(powerLevelsBy(alice, { users: { [alice]: 100, [bob]: 50 } }))
  const bobsJoin = dag.add(joinOf(bob))
  return { dag, levels, alicesJoin, bobsJoin }
}

describe('G-30: the reverse topological power ordering', () => {
  test('puts auth events before what cites them, whoever sent them and whenever', () => {
    const { dag, levels, bobsJoin } = roomOfTwo()
    const early = dag.add(
      { ...powerLevelsBy(bob, {}), id: 'a', ts: 2, authEvents: [dag.create, levels, bobsJoin] },
    )
    const late = dag.add({ ...powerLevelsBy(alice, {}), id: 'b', ts: 1, authEvents: [dag.create, early] })
    expect(order(dag, [late, early])).toEqual([early.eventId, late.eventId])
    expect(order(dag, [early, late])).toEqual([early.eventId, late.eventId])
  })

  test('then prefers the sender with more power by the event’s own auth events', () => {
    const { dag, levels, alicesJoin, bobsJoin } = roomOfTwo()
    const bobs = dag.add(
      { ...powerLevelsBy(bob, {}), id: 'a', ts: 1, authEvents: [dag.create, levels, bobsJoin] },
    )
    const alices = dag.add(
      { ...powerLevelsBy(alice, {}), id: 'b', ts: 9, authEvents: [dag.create, levels, alicesJoin] },
    )
    expect(order(dag, [bobs, alices])).toEqual([alices.eventId, bobs.eventId])
  })

  test('then the earlier event, then the lesser id', () => {
    const { dag, levels, alicesJoin } = roomOfTwo()
    const authEvents = [dag.create, levels, alicesJoin]
    const make = (id: string, ts: number) => dag.add({ ...powerLevelsBy(alice, {}), id, ts, authEvents })
    const [third, first, second] = [make('c', 5), make('z', 4), make('b', 5)]
    expect(order(dag, [third, first, second])).toEqual([first.eventId, second.eventId, third.eventId])
  })

  test('counts the creator as 100 where an event cites no power levels', () => {
    const { dag, alicesJoin, bobsJoin } = roomOfTwo()
    const alices = dag.add(
      { ...powerLevelsBy(alice, {}), id: 'b', ts: 9, authEvents: [dag.create, alicesJoin] },
    )
    const bobs = dag.add({ ...powerLevelsBy(bob, {}), id: 'a', ts: 1, authEvents: [dag.create, bobsJoin] })
    expect(order(dag, [bobs, alices])).toEqual([alices.eventId, bobs.eventId])
  })

  test('G-18: counts creators of version 12 as infinite, though no event cites the create event', () => {
    const dag = createDag('12', alice, { additional_creators: [bob] })
    const levels = dag.add(powerLevelsBy(alice, { users: { '@charlie:b.example': 2 ** 53 - 1 } }))
    const make = (sender: typeof alice | typeof bob | '@charlie:b.example', id: string, ts: number) =>
      dag.add({ ...powerLevelsBy(sender, {}), id, ts, authEvents: [levels] })
    const charlies = make('@charlie:b.example', 'a', 1)
    const bobs = make(bob, 'b', 3)
    const alices = make(alice, 'c', 2)
    expect(order(dag, [charlies, bobs, alices])).toEqual([alices.eventId, bobs.eventId, charlies.eventId])
  })

  test('looks at edges between the given events only, and once at a doubled one', () => {
    const { dag, levels, alicesJoin } = roomOfTwo()
    const first = dag.add(
      { ...powerLevelsBy(alice, {}), id: 'z', ts: 9, authEvents: [dag.create, levels, alicesJoin] },
    )
    const content = { users: { [alice]: 100 } }
    const between = dag.add(
      { ...powerLevelsBy(alice, content), id: 'm', ts: 9, authEvents: [dag.create, first] },
    )
    const last = dag.add(
      { ...powerLevelsBy(alice, {}), id: 'a', ts: 1, authEvents: [dag.create, between, between] },
    )
    expect(order(dag, [first, last])).toEqual([last.eventId, first.eventId])
    expect(order(dag, [first, between, last])).toEqual([first.eventId, between.eventId, last.eventId])
  })
})
