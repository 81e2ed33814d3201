import { describe, expect, test } from 'bun:test'
import { splitStateKey, stateKeyOf, stateKeyOfEvent } from '#core/state-key.ts'
import { createDag, joinOf, messageBy } from '#harness/dag.ts'

describe('a state key', () => {
  test.each([
    ['of an ordinary type', 'm.room.member', '@alice:a.example'],
    ['with an empty state key', 'm.room.topic', ''],
    ['whose state key holds the separator', 'm.room.topic', 'a\0b'],
  ])('%s comes apart as it was put together', (_, type, stateKey) => {
    expect(splitStateKey(stateKeyOf(type, stateKey))).toEqual([type, stateKey])
  })

  test('tells a type and a state key apart from another pair with the same letters', () => {
    expect(stateKeyOf('m.a', 'b')).not.toBe(stateKeyOf('m.', 'ab'))
  })

  test('of a message does not exist', () => {
    const dag = createDag('10')
    expect(stateKeyOfEvent(dag.add(joinOf('@alice:a.example')))).toBe('m.room.member\0@alice:a.example')
    expect(stateKeyOfEvent(dag.add(messageBy('@alice:a.example')))).toBeUndefined()
  })
})
