import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import { pushSubject, type PushContext, type PushEvent, type Reader } from '#core/push-rules/conditions.ts'
import {
  compileRuleset,
  evaluate,
  outcomeOf,
  rulesetClass,
  rulesetForRoom,
  SILENT,
  tweaksOf,
} from '#core/push-rules/evaluate.ts'
import { addRule, NO_PUSH_RULE_CHOICES, rulesetFor, setEnabled } from '#core/push-rules/ruleset.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import type { UserId } from '#schema/identifiers.ts'
import type { PushRuleChoices } from '#schema/push-rules.ts'

const alice = '@alice:a.example' as const
const bob = '@bob:a.example' as const
const den = '!den:a.example' as const
const context: PushContext = {
  roomId: den,
  memberCount: 3,
  senderPowerLevel: 0,
  notificationLevels: {},
  isInThread: false,
}

function choicesOf(
  ...edits: ((choices: PushRuleChoices) => PushRuleChoices | MatrixError)[]
): PushRuleChoices {
  return edits.reduce((choices, edit) => {
    const next = edit(choices)
    if (next instanceof MatrixError) throw next
    return next
  }, NO_PUSH_RULE_CHOICES)
}

const add = (kind: string, ruleId: string, body: JsonObject) => (choices: PushRuleChoices) =>
  addRule(choices, kind, ruleId, body)
const features = { threadSubscriptions: true }
const compiledFor = (userId: UserId, ...edits: Parameters<typeof choicesOf>) =>
  compileRuleset(rulesetFor(choicesOf(...edits), userId, features), userId)

const message = (content: JsonObject): PushEvent => ({ type: 'm.room.message', sender: bob, content })
const summary = ({
  notify,
  highlight,
  sound,
}: {
  notify: boolean
  highlight: boolean
  sound?: string
}): string =>
  notify ? ['notify', highlight ? 'highlight' : '', sound ?? ''].filter(Boolean).join(' ') : 'silent'

describe('the default rules', () => {
  test.each<[string, PushEvent, Partial<PushContext>, string]>([
    ['notify of a message', message({ body: 'hi' }), {}, 'notify'],
    ['ring for a message between two', message({ body: 'hi' }), { memberCount: 2 }, 'notify default'],
    ['notify of an encrypted event', { ...message({}), type: 'm.room.encrypted' }, {}, 'notify'],
    ['keep notices silent', message({ msgtype: 'm.notice' }), { memberCount: 2 }, 'silent'],
    [
      'highlight a mention',
      message({ body: 'x', 'm.mentions': { user_ids: [alice] } }),
      {},
      'notify highlight default',
    ],
    ['G-73: do not highlight a name in the body alone', message({ body: 'alice' }), {}, 'notify'],
    [
      'do not highlight a mention of somebody else',
      message({ 'm.mentions': { user_ids: [bob] } }),
      {},
      'notify',
    ],
    [
      'highlight a mention of the room by the powerful',
      message({ 'm.mentions': { room: true } }),
      { senderPowerLevel: 50 },
      'notify highlight',
    ],
    [
      'do not highlight a mention of the room by the others',
      message({ 'm.mentions': { room: true } }),
      {},
      'notify',
    ],
    [
      'keep edits silent',
      message({ 'm.relates_to': { rel_type: 'm.replace', event_id: '$x' } }),
      {},
      'silent',
    ],
    [
      'highlight an edit that mentions',
      message({ 'm.relates_to': { rel_type: 'm.replace' }, 'm.mentions': { user_ids: [alice] } }),
      {},
      'notify highlight default',
    ],
    ['keep reactions silent', { ...message({}), type: 'm.reaction' }, {}, 'silent'],
    [
      'notify of an invite for the user',
      { ...message({ membership: 'invite' }), type: 'm.room.member', state_key: alice },
      {},
      'notify default',
    ],
    [
      'keep other member events silent',
      { ...message({ membership: 'invite' }), type: 'm.room.member', state_key: bob },
      {},
      'silent',
    ],
    ['ring for a call', { ...message({}), type: 'm.call.invite' }, {}, 'notify ring'],
    [
      'highlight a tombstone',
      { ...message({}), type: 'm.room.tombstone', state_key: '' },
      {},
      'notify highlight',
    ],
    ['ignore a tombstone that is no state', { ...message({}), type: 'm.room.tombstone' }, {}, 'silent'],
    ['notify of a poll', { ...message({}), type: 'org.matrix.msc3381.poll.start' }, {}, 'notify'],
    ['keep votes silent', { ...message({}), type: 'org.matrix.msc3381.poll.response' }, {}, 'silent'],
    ['know nothing of other events', { ...message({}), type: 'org.example.tide' }, {}, 'silent'],
    [
      "keep the user's own events silent",
      { ...message({ 'm.mentions': { user_ids: [alice] } }), sender: alice },
      {},
      'silent',
    ],
    [
      'keep threads silent for those who did not subscribe',
      message({ body: 'hi' }),
      { isInThread: true },
      'silent',
    ],
    [
      'highlight a mention in any thread',
      message({ 'm.mentions': { user_ids: [alice] } }),
      { isInThread: true },
      'notify highlight default',
    ],
  ])('%s', (_says, event, changed, outcome) => {
    expect(summary(evaluate(compiledFor(alice), pushSubject(event, { ...context, ...changed })))).toBe(
      outcome,
    )
  })

  test('notify subscribers of a thread', () => {
    const subject = pushSubject(message({ body: 'hi' }), { ...context, isInThread: true })
    expect(summary(evaluate(compiledFor(alice), subject, { isSubscribed: true }))).toBe('notify default')
  })
})

describe("the user's own rules", () => {
  const cake = add('content', 'cake', { pattern: 'cake', actions: ['notify', { set_tweak: 'highlight' }] })
  const mute = add('room', den, { actions: [] })
  const muteAll = add('override', den, {
    actions: [],
    conditions: [{ kind: 'event_match', key: 'room_id', pattern: den }],
  })
  const noBob = add('sender', bob, { actions: [] })
  const master = (choices: PushRuleChoices) =>
    setEnabled(choices, { kind: 'override', ruleId: '.m.rule.master' }, true)
  const moon = add('override', 'moon', { actions: ['notify'], conditions: [{ kind: 'org.example.moon' }] })
  const named = add('underride', 'named', {
    actions: ['notify', { set_tweak: 'highlight' }],
    conditions: [{ kind: 'contains_display_name' }],
  })

  test.each<[string, Parameters<typeof choicesOf>, JsonObject, string]>([
    ['a keyword highlights', [cake], { body: 'the Cake!' }, 'notify highlight'],
    ['a keyword is quiet without its word', [cake], { body: 'cakes' }, 'notify'],
    ['a keyword outranks a muted room', [cake, mute], { body: 'cake' }, 'notify highlight'],
    ['a muted room is silent', [mute], { body: 'hi' }, 'silent'],
    [
      'a mention outranks a muted room',
      [mute],
      { 'm.mentions': { user_ids: [alice] } },
      'notify highlight default',
    ],
    [
      'a room muted by override is silent for mentions too',
      [muteAll],
      { 'm.mentions': { user_ids: [alice] } },
      'silent',
    ],
    ['a muted sender is silent', [noBob], { body: 'hi' }, 'silent'],
    [
      'a room rule outranks a sender rule',
      [noBob, add('room', den, { actions: ['notify'] })],
      { body: 'hi' },
      'notify',
    ],
    ['the master rule silences everything', [master, cake], { body: 'cake' }, 'silent'],
    ['an unknown condition never matches', [moon], { msgtype: 'm.notice' }, 'silent'],
    ['a display name is found by a rule that asks for it', [named], { body: 'hi Ally' }, 'notify highlight'],
  ])('%s', (_says, edits, content, outcome) => {
    const reader: Reader = { displayName: 'Ally' }
    expect(
      summary(evaluate(compiledFor(alice, ...edits), pushSubject(message(content), context), reader)),
    ).toBe(outcome)
  })
})

describe('rulesetClass', () => {
  const muteDen = add('room', den, { actions: [] })
  const muteElsewhere = add('room', '!other:a.example', { actions: [] })
  const muteAll = add('override', 'x', {
    actions: [],
    conditions: [{ kind: 'event_match', key: 'room_id', pattern: '!den:*' }],
  })
  const cake = add('content', 'cake', { pattern: 'cake', actions: ['notify'] })
  const noReactions = (choices: PushRuleChoices) =>
    setEnabled(choices, { kind: 'override', ruleId: '.m.rule.reaction' }, false)
  const classOf = (userId: UserId, ...edits: Parameters<typeof choicesOf>) =>
    rulesetClass(compiledFor(userId, ...edits), den)
  const usual = classOf(alice)

  test.each<[string, string, boolean]>([
    ['the same for another user with the default rules', classOf(bob), true],
    ['the same for someone who watches for a word', classOf(bob, cake), true],
    ['the same for someone who muted another room', classOf(bob, muteElsewhere), true],
    ['another for someone who muted this room', classOf(bob, muteDen), false],
    ['another for someone who changed a default rule', classOf(bob, noReactions), false],
  ])('is %s', (_says, key, expected) => {
    expect(key === usual).toBe(expected)
  })

  test('is the same however this room was muted altogether', () => {
    const also = add('override', 'y', {
      actions: [],
      conditions: [{ kind: 'event_property_is', key: 'room_id', value: den }],
    })
    expect(classOf(alice, muteAll)).toBe(classOf(bob, also, cake))
  })

  test('is short and does not depend on what was compiled before', () => {
    expect([usual.length, usual]).toEqual([43, classOf('@carol:a.example')])
  })

  test('needs no work again for rules that mention no room', () => {
    const compiled = compiledFor(alice)
    expect(rulesetForRoom(compiled, den)).toBe(rulesetForRoom(compiled, '!other:a.example'))
  })

  test('drops what can never apply in the room', () => {
    const { rules } = rulesetForRoom(compiledFor(alice, muteAll, cake), den)
    expect(rules.map(({ conditions, outcome }) => [conditions, outcome])).toEqual([[[], SILENT]])
  })
})

describe('outcomeOf', () => {
  test.each<[string, Parameters<typeof outcomeOf>[0], string]>([
    ['nothing is silent', [], 'silent'],
    ['tweaks without notify are silent', [{ set_tweak: 'highlight' }], 'silent'],
    ['a highlight without a value is one', ['notify', { set_tweak: 'highlight' }], 'notify highlight'],
    ['a highlight of false is none', ['notify', { set_tweak: 'highlight', value: false }], 'notify'],
    ['historical actions are ignored', ['dont_notify', 'coalesce', 'notify'], 'notify'],
    ['a sound is kept', ['notify', { set_tweak: 'sound', value: 'bing' }], 'notify bing'],
  ])('%s', (_says, actions, outcome) => {
    expect(summary(outcomeOf(actions))).toBe(outcome)
  })

  test('passes every tweak on to the gateway', () => {
    const actions = ['notify', { set_tweak: 'highlight' }, { set_tweak: 'org.example.light', value: 'blue' }]
    expect(tweaksOf(outcomeOf(actions))).toEqual({ highlight: true, 'org.example.light': 'blue' })
  })
})
