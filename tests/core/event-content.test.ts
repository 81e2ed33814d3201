import { describe, expect, test } from 'bun:test'
import { isJsonObject, joinRuleOf, membershipOf, ownValue } from '#core/event-content.ts'
import type { Json } from '#schema/pdu.ts'
import { createDag, memberOf } from '#harness/dag.ts'

const dag = createDag('10')
const memberWith = (content: { readonly [key: string]: Json }) =>
  dag.make({ type: 'm.room.member', sender: '@alice:a.example', stateKey: '@bob:a.example', content })

describe('content', () => {
  test.each([
    ['an object', {}, true],
    ['a list', [], false],
    ['null', null, false],
    ['a text', 'a', false],
  ])('%s is told apart', (_, value: Json, expected) => {
    expect(isJsonObject(value)).toBe(expected)
  })

  test('has only values of its own', () => {
    expect(ownValue({ a: 1 }, 'a')).toBe(1)
    expect(ownValue({ a: 1 }, 'constructor')).toBeUndefined()
    expect(ownValue(JSON.parse('{"__proto__": 5}'), '__proto__')).toBe(5)
    expect(ownValue(undefined, 'a')).toBeUndefined()
  })

  test('of a member gives the membership when it is a text', () => {
    expect(membershipOf(dag.make(memberOf('ban', '@alice:a.example', '@bob:a.example')))).toBe('ban')
    expect(membershipOf(memberWith({ membership: 7 }))).toBeUndefined()
    expect(membershipOf(memberWith({}))).toBeUndefined()
    expect(membershipOf(undefined)).toBeUndefined()
  })

  test('of join rules gives the rule, invite when there is none, and none for what is no text', () => {
    expect(joinRuleOf(memberWith({ join_rule: 'public' }))).toBe('public')
    expect(joinRuleOf(memberWith({}))).toBe('invite')
    expect(joinRuleOf(undefined)).toBe('invite')
    expect(joinRuleOf(memberWith({ join_rule: null }))).toBe('')
  })
})
