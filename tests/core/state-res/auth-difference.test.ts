import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { StateKey } from '#core/state-key.ts'
import { authDifference, conflictedSubgraph } from '#core/state-res/auth-difference.ts'
import { type StateConflict, authEventIds, conflictedEvents, separate } from '#core/state-res/conflict.ts'
import type { RoomVersion } from '#core/room-version.ts'
import { type Dag, createDag, joinOf, memberOf, powerLevelsBy, topicBy } from '#harness/dag.ts'
import { arbitrarySteps, roomOf } from '#harness/random-room.ts'
import type { EventId } from '#schema/identifiers.ts'

type State = ReadonlyMap<StateKey, EventId>

const VERSIONS = ['2', '6', '12'] as const satisfies RoomVersion[]
const alice = '@alice:a.example'
const bob = '@bob:a.example'
const arbitraryPicks = fc.array(fc.nat(200), { minLength: 2, maxLength: 4 })

const conflictOf = (dag: Dag, states: readonly State[], event = dag.event): StateConflict => {
  const { conflicted, unconflicted } = separate(dag.rules, states)
  const numbers = new Map(dag.events.map(({ eventId }, at) => [eventId, at]))
  return {
    conflicted,
    unconflicted: (key) => unconflicted.get(key),
    event,
    order: (id) => numbers.get(id) ?? -1,
    *stateNewestFirst() {
      for (const { eventId, pdu } of dag.events.toReversed()) if (pdu.state_key !== undefined) yield eventId
    },
  }
}

/** Everything that events lead to, themselves included: the plain and slow way. */
const closure = (dag: Dag, ids: Iterable<EventId>): Set<EventId> => {
  const found = new Set(ids)
  for (const id of found) {
    const event = dag.event(id)
    if (event) for (const cited of authEventIds(event)) found.add(cited)
  }
  return found
}

const sorted = (ids: Iterable<EventId>) => [...ids].toSorted()

/** Power levels are replaced over and over, then bob loses his on one side of a fork. */
const forked = (length: number) => {
  const dag = createDag('10')
  dag.add(joinOf(alice))
  for (let count = 0; count < length; count++) dag.add(
    powerLevelsBy(alice, { users: { [alice]: 100, [bob]: count } }),
  )
  const base = dag.add(joinOf(bob))
  const demotion = dag.add({ ...powerLevelsBy(alice, { users: { [alice]: 100 } }), after: [base] })
  const again = dag.add(
    { ...powerLevelsBy(alice, { users: { [alice]: 100 }, ban: 40 }), after: [demotion] },
  )
  const topic = dag.add({ ...topicBy(alice, 'hello'), after: [base] })
  return { dag, states: [dag.stateAfter(again), dag.stateAfter(topic)], demotion, again, topic }
}

describe('the auth difference', () => {
  test.each(VERSIONS)('of random rooms of version %s is what the definition says', (version) => {
    fc.assert(
      fc.property(
        arbitrarySteps(60),
        arbitraryPicks,
        fc.array(fc.nat(30), { maxLength: 3 }),
        (steps, picks, lacking) => {
          const dag = roomOf(version, steps)
          const states = picks.map((pick, at) => {
            const state = new Map(dag.stateAfter(dag.events[pick % dag.events.length] ?? dag.create))
            // One of the states may lack what another has, as when it came from another server.
            for (const drop of at === 0 ? lacking : []) state.delete([...state.keys()][drop] ?? '')
            return state
          })
          const chains = states.map((state) => closure(dag, state.values()))
          const union = new Set(chains.flatMap((chain) => [...chain]))
          const expected = [...union].filter((id) => !chains.every((chain) => chain.has(id)))
          expect(sorted(authDifference(conflictOf(dag, states)).keys())).toEqual(sorted(expected))
        },
      ),
      { numRuns: 150, seed: 5 },
    )
  })

  test('holds what one side replaced and the other never saw', () => {
    const { dag, states, demotion, again, topic } = forked(1)
    const difference = authDifference(conflictOf(dag, states))
    expect(sorted(difference.keys())).toEqual(sorted([demotion.eventId, again.eventId, topic.eventId]))
  })

  test('is found without walking the chain behind the fork', () => {
    const { dag, states } = forked(300)
    let looks = 0
    authDifference(
      conflictOf(dag, states, (id) => {
        looks += 1
        return dag.event(id)
      }),
    )
    expect(looks).toBeLessThan(40)
  })

  test('asks what took an event’s place before it reads the shared state', () => {
    const dag = createDag('10')
    const join = dag.add(joinOf(alice))
    const replaced = dag.add(powerLevelsBy(alice, { users: { [alice]: 100 } }))
    for (let count = 0; count < 100; count++) dag.add(joinOf(`@user${count}:a.example`))
    const successor = dag.add(powerLevelsBy(alice, { users: { [alice]: 100 }, ban: 40 }))
    const stale = dag.add({ ...topicBy(alice, 'on the old'), authEvents: [dag.create, replaced, join] })
    const conflict = conflictOf(dag, [dag.stateAfter(successor), dag.stateAfter(stale)])
    let reads = 0
    const counted = {
      ...conflict,
      *stateNewestFirst() {
        for (const id of conflict.stateNewestFirst()) {
          reads += 1
          yield id
        }
      },
    }
    expect(sorted(authDifference(counted).keys())).toEqual([stale.eventId])
    expect(reads).toBeLessThan(10)
  })

  test('leaves out what the shared state leads to, however it does', () => {
    const dag = createDag('10')
    dag.add(joinOf(alice))
    const levels = dag.add(powerLevelsBy(alice, { users: { [alice]: 100 } }))
    const invite = dag.add(memberOf('invite', alice, bob))
    const bobsJoin = dag.add(joinOf(bob))
    // Both states have carol, whom bob invited while he was joined; only one has what bob did later.
    dag.add(memberOf('invite', bob, '@carol:a.example'))
    const base = dag.add(topicBy(alice, 'hello'))
    const left = dag.add({ ...memberOf('leave', bob, bob), after: [base] })
    const one = dag.stateAfter(left)
    const other = new Map(dag.stateAfter(base))
    other.delete(`m.room.member\0${bob}`)
    const difference = authDifference(conflictOf(dag, [one, other]))
    expect([...difference.keys()]).toEqual([left.eventId])
    expect([levels, invite, bobsJoin].some(({ eventId }) => difference.has(eventId))).toBe(false)
  })

  test('passes over events that never arrived', () => {
    const { dag, states, demotion, topic, again } = forked(1)
    const conflict = conflictOf(dag, states, (id) => (id === demotion.eventId ? undefined : dag.event(id)))
    expect(sorted(authDifference(conflict).keys())).toEqual(sorted([again.eventId, topic.eventId]))
  })
})

describe('G-31: the conflicted state subgraph', () => {
  test('of random rooms is what the definition says', () => {
    fc.assert(
      fc.property(arbitrarySteps(60), arbitraryPicks, (steps, picks) => {
        const dag = roomOf('12', steps)
        const states = picks.map((pick) => dag.stateAfter(dag.events[pick % dag.events.length] ?? dag.create))
        const conflict = conflictOf(dag, states)
        const conflicted = [...conflictedEvents(conflict).keys()]
        const behind = closure(dag, conflicted)
        const expected = [...behind].filter((id) => {
          const chain = closure(dag, [id])
          return conflicted.some((other) => chain.has(other))
        })
        expect(sorted(conflictedSubgraph(conflict).keys())).toEqual(sorted(expected))
      }),
      { numRuns: 150, seed: 6 },
    )
  })

  test('is found without walking behind the oldest conflicted event', () => {
    const { dag, states } = forked(300)
    let looks = 0
    const event = (id: EventId) => {
      looks += 1
      return dag.event(id)
    }
    conflictedSubgraph(conflictOf(dag, states, event))
    expect(looks).toBeLessThan(40)
  })

  test('holds a shared event that lies between two conflicted ones', () => {
    const dag = createDag('12')
    const join = dag.add(joinOf(alice))
    const before = dag.add(powerLevelsBy(alice, { ban: 40 }))
    const between = dag.add(joinOf(bob))
    const after = dag.add({ ...topicBy(bob, 'hello'), authEvents: [between] })
    const one = dag.stateAfter(after)
    const other = new Map(one)
    other.delete('m.room.topic\0')
    other.delete('m.room.power_levels\0')
    const conflict = conflictOf(dag, [one, other])
    expect(sorted(conflictedSubgraph(conflict).keys())).toEqual(
      sorted([before.eventId, between.eventId, after.eventId]),
    )
    expect(conflictedSubgraph(conflict).has(join.eventId)).toBe(false)
  })
})
