import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type StateKey, splitStateKey } from '#core/state-key.ts'
import { type StateConflict, separate } from '#core/state-res/conflict.ts'
import { resolveConflict, resolveState } from '#core/state-res/resolve.ts'
import type { RoomVersion } from '#core/room-version.ts'
import { type Dag, createDag, joinOf, powerLevelsBy, topicBy } from '#harness/dag.ts'
import { type Step, arbitrarySteps, roomOf } from '#harness/random-room.ts'
import type { EventId } from '#schema/identifiers.ts'

type State = ReadonlyMap<StateKey, EventId>

const RUNS = 30
const VERSIONS = ['1', '2', '10', '12'] as const satisfies RoomVersion[]

const sorted = (state: State) => [...state].sort(([one], [other]) => (one < other ? -1 : 1))

/**
 * Checks a property of two to four states of random rooms. The first of them may lack some entries, as when
 * another server told it wrongly.
 */
const holdsFor = (version: RoomVersion, property: (dag: Dag, states: readonly State[]) => void) =>
  fc.assert(
    fc.property(
      arbitrarySteps(40),
      fc.array(fc.nat(200), { minLength: 2, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 2 }),
      (steps: readonly Step[], picks: readonly number[], lacking: readonly number[]) => {
        const dag = roomOf(version, steps)
        const states = picks.map(
          (pick) => new Map(dag.stateAfter(dag.events[pick % dag.events.length] ?? dag.create)),
        )
        const keys = [...(states[0]?.keys() ?? [])]
        for (const at of lacking) states[0]?.delete(keys[at] ?? '')
        property(dag, states)
      },
    ),
    { numRuns: RUNS, seed: 4 },
  )

const placeOf = (key: StateKey) => {
  const [type, state_key] = splitStateKey(key)
  return { type, state_key }
}

const orderIn = (dag: Dag): Pick<StateConflict, 'order' | 'stateNewestFirst'> => {
  const numbers = new Map(dag.events.map(({ eventId }, at) => [eventId, at]))
  return {
    order: (id) => numbers.get(id) ?? -1,
    stateNewestFirst: () =>
      dag.events
        .filter(({ pdu }) => pdu.state_key !== undefined)
        .map(({ eventId }) => eventId)
        .toReversed(),
  }
}

describe.each(VERSIONS)('in room version %s', (version) => {
  test('resolution does not depend on the order of the states', () => {
    holdsFor(version, (dag, states) => {
      const [first, ...others] = states
      const turned = [...others, first ?? new Map()]
      const answer = sorted(resolveState(dag.rules, states, dag.event))
      expect(sorted(resolveState(dag.rules, turned, dag.event))).toEqual(answer)
      expect(sorted(resolveState(dag.rules, states.toReversed(), dag.event))).toEqual(answer)
    })
  })

  test('resolution does not depend on the order of the entries', () => {
    holdsFor(version, (dag, states) => {
      const turned = states.map((state) => new Map([...state].reverse()))
      expect(sorted(resolveState(dag.rules, turned, dag.event))).toEqual(
        sorted(resolveState(dag.rules, states, dag.event)),
      )
    })
  })

  test('a state resolved with itself stays what it is', () => {
    holdsFor(version, (dag, states) => {
      for (const state of states)
        expect(sorted(resolveState(dag.rules, [state, state, state], dag.event))).toEqual(sorted(state))
    })
  })

  test('a state that is given twice changes nothing', () => {
    holdsFor(version, (dag, states) => {
      const answer = sorted(resolveState(dag.rules, states, dag.event))
      expect(sorted(resolveState(dag.rules, [...states, ...states.slice(0, 2)], dag.event))).toEqual(answer)
    })
  })

  test('what all states share stays, and every event is at its own key', () => {
    holdsFor(version, (dag, states) => {
      const answer = resolveState(dag.rules, states, dag.event)
      for (const [key, id] of separate(dag.rules, states).unconflicted) expect(answer.get(key)).toBe(id)
      for (const [key, id] of answer) expect(dag.event(id)?.pdu).toMatchObject(placeOf(key))
    })
  })

  test('telling only the differences comes to the same', () => {
    holdsFor(version, (dag, states) => {
      const { conflicted, unconflicted } = separate(dag.rules, states)
      const resolved = resolveConflict(dag.rules, {
        conflicted,
        unconflicted: (key) => unconflicted.get(key),
        event: dag.event,
        ...orderIn(dag),
      })
      for (const key of resolved.keys()) expect(unconflicted.has(key)).toBe(false)
      expect(sorted(new Map([...unconflicted, ...resolved]))).toEqual(
        sorted(resolveState(dag.rules, states, dag.event)),
      )
    })
  })
})

describe('a room that forked', () => {
  test('has one state again', () => {
    const dag = createDag('10')
    dag.add(joinOf('@alice:a.example'))
    const base = dag.add(powerLevelsBy('@alice:a.example', { users: { '@alice:a.example': 100 } }))
    const one = dag.add({ ...topicBy('@alice:a.example', 'one'), after: [base] })
    const two = dag.add({ ...topicBy('@alice:a.example', 'two'), after: [base] })
    const merged = dag.stateBefore([one, two])
    expect(merged.get('m.room.topic\0')).toBe(two.eventId)
    expect(merged.size).toBe(4)
  })

  test('without a conflict costs no look at any event', () => {
    const dag = createDag('10')
    const state = dag.stateAfter(dag.add(joinOf('@alice:a.example')))
    const never = () => {
      throw new Error('looked')
    }
    expect(resolveState(dag.rules, [state, new Map(state)], never)).toEqual(new Map(state))
    expect(resolveState(dag.rules, [], never)).toEqual(new Map())
  })
})

describe('an auth chain of twenty thousand events', () => {
  test.each(['2', '12'] as const)('is walked without running out of stack in version %s', (version) => {
    const dag = createDag(version)
    const alice = '@alice:a.example'
    const join = dag.add(joinOf(alice))
    const events = new Map(dag.events.map((event) => [event.eventId, event]))
    let last = join
    for (let count = 0; count < 20_000; count++) {
      last = dag.make(
        { ...powerLevelsBy(alice, {}), id: `p${count}`, after: [], authEvents: [join, last], ts: count },
      )
      events.set(last.eventId, last)
    }
    const event = (id: EventId) => events.get(id)
    const without = new Map(dag.stateAfter(join))
    const resolved = resolveState(
      dag.rules,
      [without, new Map([...without, ['m.room.power_levels\0', last.eventId]])],
      event,
    )
    expect(resolved.size).toBe(without.size + 1)
  })
})
