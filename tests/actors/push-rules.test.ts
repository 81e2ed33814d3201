import { describe, expect, test } from 'bun:test'
import { ringUsers } from '#actors/effects.ts'
import { decide, PUSH_RULES_LIMIT_BYTES } from '#actors/user/push-rules.ts'
import { user } from '#actors/user/user.ts'
import { NO_PUSH_RULE_CHOICES } from '#core/push-rules/ruleset.ts'
import { given, NOW } from '#harness/given.ts'

const userId = '@alice:a.example'
const alice = given(user, userId, { kind: 'userRegistered', userId, passwordHash: null, isAdmin: false, isGuest: false, ts: NOW })
const add = { kind: 'setPushRule', ruleKind: 'content', ruleId: 'cheese', body: { pattern: 'cheese', actions: ['notify'] }, place: {} } as const
const cheese = { rule_id: 'cheese', default: false, enabled: true, pattern: 'cheese', actions: ['notify'] }
const chosen = { ...NO_PUSH_RULE_CHOICES, own: { ...NO_PUSH_RULE_CHOICES.own, content: [cheese] } }

describe('push rules', () => {
  test('are recorded whole and wake the user', () => {
    expect(alice.when(add)).toMatchObject({
      facts: [{ kind: 'pushRulesChanged', userId, choices: chosen }],
      effects: [ringUsers([userId], 'account-data')],
    })
    expect(alice.and(add).memory.pushRules).toEqual(chosen)
  })

  test('that stay the same are no news', () => {
    expect(alice.and(add).when(add)).toMatchObject({ facts: [], effects: [] })
  })

  test('are switched, changed and removed', () => {
    const rule = { ruleKind: 'content', ruleId: 'cheese' }
    const off = alice.and(add).and({ kind: 'setPushRuleEnabled', ...rule, enabled: false })
    expect(off.memory.pushRules.own.content).toEqual([{ ...cheese, enabled: false }])
    const loud = off.and({ kind: 'setPushRuleActions', ...rule, actions: ['notify', { set_tweak: 'highlight' }] })
    expect(loud.memory.pushRules.own.content[0]?.actions).toEqual(['notify', { set_tweak: 'highlight' }])
    expect(loud.and({ kind: 'deletePushRule', ...rule }).memory.pushRules).toEqual(NO_PUSH_RULE_CHOICES)
  })

  test('survive a snapshot and go with the account', () => {
    const { memory } = alice.and(add)
    const { freeze, thaw } = user.snapshot ?? {}
    expect(thaw?.(freeze?.(memory) as never, userId).pushRules).toEqual(chosen)
    expect(alice.and(add).and({ kind: 'deactivateUser', isErased: false }).memory.pushRules).toEqual(NO_PUSH_RULE_CHOICES)
  })

  test('are refused with the reason of the rule, and for accounts that are not there', () => {
    expect(alice.when({ ...add, body: {} }).refused).toBe('M_MISSING_PARAM')
    expect(given(user, userId).when(add).refused).toBe('M_NOT_FOUND')
  })

  test('are limited in all', () => {
    const conditions = Array.from({ length: 20 }, (_, index) => ({ kind: 'event_match', key: `content.${index}`, pattern: 'x'.repeat(900) }))
    const each = JSON.stringify({ ...cheese, conditions }).length
    const many = Array.from({ length: Math.floor(PUSH_RULES_LIMIT_BYTES / each) - 1 }, (_, index) => ({ ...cheese, rule_id: `rule ${index}`, conditions }))
    const memory = { ...alice.memory, pushRules: { ...chosen, own: { ...chosen.own, override: many } } }
    const set = (rules: number) => decide.setPushRule(memory, { ...add, ruleKind: 'override', ruleId: 'new', body: { actions: [], conditions: conditions.slice(0, rules) } })
    expect(set(1)).toMatchObject({ facts: [{ kind: 'pushRulesChanged' }] })
    memory.pushRules.own.override.push(...many.slice(0, 1))
    expect(set(20)).toMatchObject({ refuse: { errcode: 'M_TOO_LARGE' } })
  })
})

describe('pushers', () => {
  const pusher = {
    kind: 'http', appId: 'app', pushkey: 'key', appDisplayName: 'App', deviceDisplayName: 'Phone', profileTag: null, lang: 'en', data: { url: 'https://push.example' }, isEnabled: true,
  }

  test('are recorded with the time, and deleted', () => {
    expect(alice.when({ kind: 'postPusher', deviceId: null, pusher }).facts).toEqual([{ kind: 'pusherSet', userId, deviceId: null, pusher, ts: NOW }])
    expect(alice.when({ kind: 'deletePusher', appId: 'app', pushkey: 'key' }).facts).toEqual([{ kind: 'pusherDeleted', userId, appId: 'app', pushkey: 'key' }])
    expect(given(user, userId).when({ kind: 'postPusher', deviceId: null, pusher }).refused).toBe('M_NOT_FOUND')
  })
})
