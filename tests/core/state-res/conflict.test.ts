import { describe, expect, test } from 'bun:test'
import { authEventAt, authEventIds, createEventFor, separate } from '#core/state-res/conflict.ts'
import { ALL_VERSIONS, furnishedRoom, messageBy, rulesOf } from '#harness/dag.ts'
import type { EventId } from '#schema/identifiers.ts'

const state = (entries: Record<string, EventId>) => new Map(Object.entries(entries))

describe('G-29: states are parted', () => {
  const states = [state({ a: '$1', b: '$2', c: '$3' }), state({ a: '$1', b: '$9', d: '$4' })]

  test('into what they share and what they do not, where a missing entry is a difference', () => {
    expect(separate(rulesOf('2'), states)).toEqual({
      unconflicted: state({ a: '$1' }),
      conflicted: new Map([
        ['b', ['$2', '$9']],
        ['c', ['$3', undefined]],
        ['d', [undefined, '$4']],
      ]),
    })
  })

  test('in version 1 without minding a missing entry', () => {
    expect(separate(rulesOf('1'), states)).toEqual({
      unconflicted: state({ a: '$1', c: '$3', d: '$4' }),
      conflicted: new Map([['b', ['$2', '$9']]]),
    })
  })

  test('in version 1 also where each state has what the other lacks', () => {
    expect(separate(rulesOf('1'), [state({ a: '$1' }), state({ b: '$2' })])).toEqual({
      unconflicted: state({ a: '$1', b: '$2' }),
      conflicted: new Map(),
    })
  })

  test.each([
    ['none', []],
    ['one', [state({ a: '$1' })]],
    ['three alike', [state({ a: '$1' }), state({ a: '$1' }), state({ a: '$1' })]],
  ])('into no conflict when there is %s', (_, given) => {
    expect(separate(rulesOf('2'), given)).toEqual(
      { unconflicted: given[0] ?? new Map(), conflicted: new Map() },
    )
  })

  test('with every state’s entry in the order of the states', () => {
    const { conflicted } = separate(rulesOf('2'), [state({}), state({ a: '$1' }), state({ a: '$2' })])
    expect(conflicted).toEqual(new Map([['a', [undefined, '$1', '$2']]]))
  })
})

describe('the auth events of an event', () => {
  test.each(ALL_VERSIONS)('are read in the form of version %s', (version) => {
    const dag = furnishedRoom(version)
    const message = dag.add(messageBy('@alice:a.example'))
    const found = authEventIds(message).map((id) => dag.event(id)?.pdu.type)
    const create = version === '12' ? [] : ['m.room.create']
    expect(found).toEqual([...create, 'm.room.power_levels', 'm.room.member'])
    expect(createEventFor(dag.rules, message, dag.event)).toBe(dag.create)
    expect(authEventAt(message, 'm.room.power_levels', '', dag.event)?.pdu.type).toBe('m.room.power_levels')
    expect(authEventAt(message, 'm.room.power_levels', 'x', dag.event)).toBeUndefined()
  })
})
