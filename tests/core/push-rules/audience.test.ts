import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '#schema/pdu.ts'
import {
  emptyAudience,
  evaluateForAudience,
  outcomeFor,
  seat,
  unseat,
  type Audience,
} from '#core/push-rules/audience.ts'
import { pushSubject, type PushContext, type PushEvent } from '#core/push-rules/conditions.ts'
import type { Ruleset } from '#core/push-rules/defaults.ts'
import {
  compileRuleset,
  evaluate,
  rulesetForRoom,
  SILENT,
  type PushOutcome,
} from '#core/push-rules/evaluate.ts'
import { NO_PUSH_RULE_CHOICES, rulesetFor } from '#core/push-rules/ruleset.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { PushRule } from '#schema/push-rules.ts'

const den = '!den:a.example' as const
const context: PushContext = {
  roomId: den,
  memberCount: 1000,
  senderPowerLevel: 0,
  notificationLevels: {},
  isInThread: false,
}
const charlie = '@charlie:b.example' as const
const message = (content: JsonObject): PushEvent => ({ type: 'm.room.message', sender: charlie, content })
const user = (index: number): UserId => `@user${index}:a.example`

type Member = Readonly<{ userId: UserId; ruleset: Ruleset; displayName?: string }>

function audienceOf(members: readonly Member[]): Audience {
  const audience = emptyAudience()
  for (const { userId, ruleset, displayName } of members) {
    seat(audience, rulesetForRoom(compileRuleset(ruleset, userId), den), displayName)
  }
  return audience
}

const features = { threadSubscriptions: true }
const usual = (userId: UserId): Ruleset => rulesetFor(NO_PUSH_RULE_CHOICES, userId, features)
const own = (rule_id: string, rule: Partial<PushRule>): PushRule => ({
  rule_id,
  default: false,
  enabled: true,
  actions: [],
  ...rule,
})

describe('a room of users with the default rules', () => {
  const members = Array.from({ length: 5 }, (_, index) => ({
    userId: user(index),
    ruleset: usual(user(index)),
  }))
  const audience = audienceOf(members)

  test('is one class', () => {
    expect([...audience.classes.values()].map(({ size }) => size)).toEqual([5])
  })

  test('a plain message has one outcome and no personal ones', () => {
    const { classes, personal } = evaluateForAudience(audience, pushSubject(message({ body: 'hi' }), context))
    expect([[...classes.values()], personal.size]).toEqual([
      [{ notify: true, highlight: false, actions: ['notify'] }],
      0,
    ])
  })

  test('a mention is personal to those it names and are here', () => {
    const mentions = { 'm.mentions': { user_ids: [user(1), user(3), '@nobody:a.example', charlie, 7] } }
    const { personal } = evaluateForAudience(audience, pushSubject(message(mentions), context))
    expect([...personal.entries()].map(([userId, { highlight }]) => [userId, highlight])).toEqual([
      [user(1), true],
      [user(3), true],
    ])
  })

  test('an invite is personal to the invited', () => {
    const invite = { ...message({ membership: 'invite' }), type: 'm.room.member', state_key: user(2) }
    const { personal } = evaluateForAudience(audience, pushSubject(invite, context))
    expect([...personal.keys()]).toEqual([user(2)])
  })

  test('a message in a thread is personal to its subscribers', () => {
    const subject = pushSubject(message({ body: 'hi' }), { ...context, isInThread: true })
    const { classes, personal } = evaluateForAudience(
      audience,
      subject,
      new Set([user(4), '@nobody:a.example']),
    )
    expect([[...classes.values()], [...personal.keys()]]).toEqual([[SILENT], [user(4)]])
  })

  test('a sender who mentions themselves gets nothing', () => {
    const event = { ...message({ 'm.mentions': { user_ids: [user(0)] } }), sender: user(0) }
    expect(evaluateForAudience(audience, pushSubject(event, context)).personal.size).toBe(0)
  })
})

test('leaving empties the audience, and seating twice counts once', () => {
  const alice = user(0)
  const audience = audienceOf([{ userId: alice, ruleset: usual(alice) }])
  const watching = { ...usual(alice), content: [own('cake', { pattern: 'cake' })] }
  seat(audience, rulesetForRoom(compileRuleset(watching, alice), den), 'Alice')
  expect([audience.watchers.size, [...audience.classes.values()].map(({ size }) => size)]).toEqual([1, [1]])
  unseat(audience, alice)
  unseat(audience, alice)
  expect(audience).toEqual(emptyAudience())
  expect(
    outcomeFor(audience, evaluateForAudience(audience, pushSubject(message({}), context)), alice),
  ).toEqual(SILENT)
})

const users = [0, 1, 2, 3].map(user)
const ids = fc.constantFrom(...users, charlie)
const actions = fc.constantFrom<PushRule['actions']>(
  [],
  ['notify'],
  ['notify', { set_tweak: 'highlight' }],
  ['notify', { set_tweak: 'sound', value: 'x' }],
)
const words = fc.constantFrom('cake', 'tea', 'Ally', '*')
const conditions = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('event_match'),
      key: fc.constantFrom('content.body', 'type', 'state_key', 'sender', 'room_id', 'content.x'),
      pattern: fc.oneof(words, ids, fc.constantFrom('m.room.*', den, '!other:a.example')),
    }),
    fc.record({
      kind: fc.constantFrom('event_property_is', 'event_property_contains'),
      key: fc.constantFrom('content.x', 'content.m\\.mentions.user_ids', 'content.body', 'sender', 'room_id'),
      value: fc.oneof(ids, words, fc.constant(true)),
    }),
    fc.record({ kind: fc.constant('contains_display_name') }),
    fc.record({ kind: fc.constant('room_member_count'), is: fc.constantFrom('2', '>2') }),
    fc.record({ kind: fc.constant('sender_notification_permission'), key: fc.constant('room') }),
    fc.record({ kind: fc.constant('io.element.msc4306.thread_subscription'), subscribed: fc.boolean() }),
    fc.record({ kind: fc.constant('org.example.unknown') }),
  ),
  { maxLength: 3 },
)
const enabled = fc.boolean()
const rulesets = fc.record({
  override: fc.array(fc.record({ conditions, actions, enabled }), { maxLength: 2 }),
  content: fc.array(fc.record({ pattern: words, actions, enabled }), { maxLength: 1 }),
  room: fc.array(fc.record({ rule_id: fc.constantFrom(den, '!other:a.example'), actions, enabled }), {
    maxLength: 1,
  }),
  sender: fc.array(fc.record({ rule_id: ids, actions, enabled }), { maxLength: 1 }),
  underride: fc.array(fc.record({ conditions, actions, enabled }), { maxLength: 2 }),
})
const events = fc.record({
  type: fc.constantFrom('m.room.message', 'm.room.member', 'm.room.encrypted'),
  sender: ids,
  state_key: fc.option(ids, { nil: undefined }),
  content: fc.record({
    body: fc.constantFrom('cake and tea', 'hi Ally', 'cakes', users[0] ?? ''),
    membership: fc.constantFrom('invite', 'join'),
    x: fc.oneof(ids, fc.array(ids, { maxLength: 2 }), fc.boolean()),
    'm.mentions': fc.record({ user_ids: fc.array(ids, { maxLength: 3 }), room: fc.boolean() }),
  }),
})

test('the outcome by class is that of each user from scratch', () => {
  const scene = fc.record({
    drawn: fc.array(fc.record({ ruleset: rulesets, displayName: fc.constantFrom('', 'Ally', 'Bob') }), {
      minLength: 4,
      maxLength: 4,
    }),
    event: events,
    subscribers: fc.uniqueArray(ids),
    isInThread: fc.boolean(),
    memberCount: fc.constantFrom(2, 3),
    senderPowerLevel: fc.constantFrom(0, 50),
  })
  fc.assert(
    fc.property(scene, ({ drawn, event, subscribers, ...changed }) => {
      const members = drawn.map(({ ruleset, displayName }, index) => {
        const userId = user(index)
        const { override, underride, ...defaults } = usual(userId)
        const numbered = (rules: readonly Partial<PushRule>[]) =>
          rules.map((rule, at) => own(rule.rule_id ?? `r${at}`, rule))
        return {
          userId,
          displayName,
          ruleset: {
            ...defaults,
            content: numbered(ruleset.content),
            room: numbered(ruleset.room),
            sender: numbered(ruleset.sender),
            override: [...numbered(ruleset.override), ...override],
            underride: [...numbered(ruleset.underride), ...underride],
          },
        }
      })
      const here = { ...context, ...changed }
      const { state_key, ...rest } = event
      const pushed: PushEvent = state_key === undefined ? rest : { ...rest, state_key }
      const audience = audienceOf(members)
      const outcomes = evaluateForAudience(audience, pushSubject(pushed, here), new Set(subscribers))
      for (const { userId, ruleset, displayName } of members) {
        if (userId === event.sender) continue
        const reader = { displayName, isSubscribed: subscribers.includes(userId) }
        const alone: PushOutcome = evaluate(
          compileRuleset(ruleset, userId),
          pushSubject(pushed, here),
          reader,
        )
        expect(outcomeFor(audience, outcomes, userId)).toEqual(alone)
      }
    }),
    { numRuns: 600 },
  )
})

test('a thousand users cost less than five milliseconds per event', () => {
  const members = Array.from({ length: 1000 }, (_, index) => {
    const userId = user(index)
    const rules = usual(userId)
    const keywords =
      index % 4 === 0
        ? [
            own(`k${index}`, {
              pattern: `word${index % 50}`,
              actions: ['notify', { set_tweak: 'highlight' }],
            }),
          ]
        : []
    const muted = index % 7 === 0 ? [own(den, {})] : []
    return { userId, ruleset: { ...rules, content: keywords, room: muted } }
  })
  const audience = audienceOf(members)
  const event = message({
    body: 'some words and word8 among them '.repeat(10),
    'm.mentions': { user_ids: [user(3)] },
  })
  const run = () => evaluateForAudience(audience, pushSubject(event, context))
  const times = Array.from({ length: 30 }, () => {
    const started = performance.now()
    run()
    return performance.now() - started
  }).sort((one, other) => one - other)
  expect([audience.classes.size, run().personal.size]).toEqual([2, 11])
  expect(times[15] ?? Infinity).toBeLessThan(5)
})
