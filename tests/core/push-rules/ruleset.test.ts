import { describe, expect, test } from 'bun:test'
import { outcomeOf, SILENT } from '#core/push-rules/evaluate.ts'
import { addRule, findRule, NO_PUSH_RULE_CHOICES, OWN_RULES_LIMIT, removeRule, RULE_PARTS_LIMIT, RULE_TEXT_LIMIT, rulesetFor, setActions, setEnabled, type RulePlace } from '#core/push-rules/ruleset.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import type { PushRule, PushRuleChoices } from '#schema/push-rules.ts'

const alice = '@alice:a.example' as const

function done(result: PushRuleChoices | MatrixError): PushRuleChoices {
  if (result instanceof MatrixError) throw result
  return result
}

const codeOf = (result: unknown): string =>
  result instanceof MatrixError ? `${result.status} ${result.errcode}` : 'done'

const keyword = { pattern: 'cake', actions: ['notify'] }
const withKeywords = (...ids: string[]): PushRuleChoices =>
  ids.reduceRight((choices, id) => done(addRule(choices, 'content', id, keyword)), NO_PUSH_RULE_CHOICES)
const keywordsOf = (choices: PushRuleChoices): string[] => choices.own.content.map(({ rule_id }) => rule_id)

describe('addRule', () => {
  test('keeps what belongs to the kind and nothing else', () => {
    const body = {
      actions: ['notify'],
      pattern: 'x',
      conditions: [{ kind: 'contains_display_name' }],
      default: true,
      enabled: false,
    }
    const kinds = ['override', 'content', 'room', 'sender', 'underride'] as const
    const rules = kinds.map((kind) => done(addRule(NO_PUSH_RULE_CHOICES, kind, 'mine', body)).own[kind])
    const plain = { rule_id: 'mine', default: false, enabled: true, actions: ['notify'] }
    const conditional: PushRule = { ...plain, conditions: [{ kind: 'contains_display_name' }] }
    expect(rules).toEqual([[conditional], [{ ...plain, pattern: 'x' }], [plain], [plain], [conditional]])
  })

  test.each<[string, RulePlace, string[]]>([
    ['makes a new rule the most important', {}, ['new', 'a', 'b', 'c']],
    ['puts it before another', { before: 'b' }, ['a', 'new', 'b', 'c']],
    ['puts it after another', { after: 'b' }, ['a', 'b', 'new', 'c']],
    ['puts it last', { after: 'c' }, ['a', 'b', 'c', 'new']],
    ['lets before decide when both are given', { before: 'c', after: 'a' }, ['a', 'b', 'new', 'c']],
  ])('%s', (_says, place, order) => {
    expect(keywordsOf(done(addRule(withKeywords('a', 'b', 'c'), 'content', 'new', keyword, place)))).toEqual(
      order,
    )
  })

  test('replaces a rule in its place and leaves it disabled', () => {
    const disabled = done(setEnabled(withKeywords('a', 'b', 'c'), { kind: 'content', ruleId: 'b' }, false))
    const changed = done(addRule(disabled, 'content', 'b', { pattern: 'tea', actions: [] }))
    expect(keywordsOf(changed)).toEqual(['a', 'b', 'c'])
    expect(changed.own.content[1]).toEqual({
      rule_id: 'b',
      default: false,
      enabled: false,
      actions: [],
      pattern: 'tea',
    })
  })

  test('moves a rule that is there already', () => {
    expect(
      keywordsOf(done(addRule(withKeywords('a', 'b', 'c'), 'content', 'c', keyword, { before: 'a' }))),
    ).toEqual(['c', 'a', 'b'])
  })

  test('keeps the historical actions, which notify nobody', () => {
    const actions = ['dont_notify', 'coalesce']
    const choices = done(addRule(NO_PUSH_RULE_CHOICES, 'room', '!den:a.example', { actions }))
    expect(choices.own.room[0]?.actions).toEqual(actions)
    expect(outcomeOf(actions)).toEqual(SILENT)
  })

  test('takes conditions it does not know', () => {
    const body = { actions: [], conditions: [{ kind: 'org.example.moon_phase' }] }
    expect(codeOf(addRule(NO_PUSH_RULE_CHOICES, 'override', 'mine', body))).toBe('done')
  })

  const long = 'x'.repeat(RULE_TEXT_LIMIT + 1)
  test.each<[string, string, string, unknown, string]>([
    ['a kind that does not exist', 'overdrive', 'mine', keyword, '400 M_INVALID_PARAM'],
    ["a kind that is the server's own", 'postcontent', 'mine', keyword, '400 M_INVALID_PARAM'],
    ['an id that starts with a dot', 'content', '.mine', keyword, '400 M_INVALID_PARAM'],
    ['an id with a slash', 'content', 'mine/yours', keyword, '400 M_INVALID_PARAM'],
    ['an id with a backslash', 'content', 'mine\\yours', keyword, '400 M_INVALID_PARAM'],
    ['an id that is too long', 'content', long, keyword, '400 M_INVALID_PARAM'],
    ['an empty id', 'content', '', keyword, '400 M_INVALID_PARAM'],
    ['a body that is no object', 'content', 'mine', [], '400 M_BAD_JSON'],
    ['a body without actions', 'content', 'mine', { pattern: 'cake' }, '400 M_MISSING_PARAM'],
    ['actions that are no list', 'content', 'mine', { pattern: 'cake', actions: 'notify' }, '400 M_BAD_JSON'],
    ['an unknown action', 'content', 'mine', { pattern: 'cake', actions: ['shout'] }, '400 M_INVALID_PARAM'],
    [
      'an action that is no tweak',
      'content',
      'mine',
      { pattern: 'cake', actions: [{ value: 1 }] },
      '400 M_INVALID_PARAM',
    ],
    ['a keyword rule without a pattern', 'content', 'mine', { actions: [] }, '400 M_MISSING_PARAM'],
    ['a pattern that is no string', 'content', 'mine', { actions: [], pattern: 7 }, '400 M_BAD_JSON'],
    ['a pattern that is too long', 'content', 'mine', { actions: [], pattern: long }, '400 M_INVALID_PARAM'],
    ['conditions that are no list', 'override', 'mine', { actions: [], conditions: {} }, '400 M_BAD_JSON'],
    ['a condition without a kind', 'underride', 'mine', { actions: [], conditions: [{}] }, '400 M_BAD_JSON'],
    [
      'a condition that is too long',
      'override',
      'mine',
      { actions: [], conditions: [{ kind: long }] },
      '400 M_INVALID_PARAM',
    ],
    [
      'too many conditions',
      'override',
      'mine',
      { actions: [], conditions: Array.from({ length: RULE_PARTS_LIMIT + 1 }, () => ({ kind: 'x' })) },
      '400 M_INVALID_PARAM',
    ],
  ])('refuses %s', (_says, kind, ruleId, body, code) => {
    expect(codeOf(addRule(NO_PUSH_RULE_CHOICES, kind, ruleId, body))).toBe(code)
  })

  test.each<[string, RulePlace]>([
    ['that is not there', { before: 'z' }],
    ['that is a default rule', { after: '.m.rule.message' }],
    ['that is the rule itself', { after: 'new' }],
  ])('refuses a place beside a rule %s', (_says, place) => {
    expect(codeOf(addRule(withKeywords('a'), 'content', 'new', keyword, place))).toBe('400 M_UNKNOWN')
  })

  test('refuses one rule more than the limit, and still replaces', () => {
    const rules = Array.from({ length: OWN_RULES_LIMIT }, (_, index): PushRule => ({
      rule_id: `r${index}`,
      default: false,
      enabled: true,
      actions: [],
    }))
    const full = { ...NO_PUSH_RULE_CHOICES, own: { ...NO_PUSH_RULE_CHOICES.own, room: rules } }
    expect([
      codeOf(addRule(full, 'room', 'new', { actions: [] })),
      codeOf(addRule(full, 'room', 'r7', { actions: [] })),
    ]).toEqual(['400 M_INVALID_PARAM', 'done'])
  })
})

describe('removeRule', () => {
  test('removes an own rule', () => {
    expect(keywordsOf(done(removeRule(withKeywords('a', 'b'), 'content', 'a')))).toEqual(['b'])
  })

  test.each([
    ['a rule that is not there', 'content', 'z'],
    ['a rule of another kind', 'room', 'a'],
    ['a default rule', 'underride', '.m.rule.message'],
    ['a rule of no kind', 'overdrive', 'a'],
  ])('does not find %s', (_says, kind, ruleId) => {
    expect(codeOf(removeRule(withKeywords('a'), kind, ruleId))).toBe('404 M_NOT_FOUND')
  })

  test('forgets that the rule was disabled', () => {
    const name = { kind: 'content', ruleId: 'a' }
    const removed = done(removeRule(done(setEnabled(withKeywords('a'), name, false)), 'content', 'a'))
    expect(done(addRule(removed, 'content', 'a', keyword)).own.content[0]?.enabled).toBe(true)
  })
})

describe('setEnabled and setActions', () => {
  test('change a default rule without copying it', () => {
    const name = { kind: 'override', ruleId: '.m.rule.master' }
    const on = done(setEnabled(NO_PUSH_RULE_CHOICES, name, true))
    const silent = done(setActions(on, { kind: 'underride', ruleId: '.m.rule.message' }, ['dont_notify']))
    expect(silent).toEqual({
      own: NO_PUSH_RULE_CHOICES.own,
      changes: { '.m.rule.master': { enabled: true }, '.m.rule.message': { actions: ['dont_notify'] } },
    })
    const ruleset = rulesetFor(silent, alice)
    expect([ruleset.override[0]?.enabled, findRule(ruleset, 'underride', '.m.rule.message')]).toEqual([
      true,
      expect.objectContaining({ actions: ['dont_notify'], enabled: true }),
    ])
  })

  test('change an own rule', () => {
    const name = { kind: 'content', ruleId: 'a' }
    const changed = done(setActions(done(setEnabled(withKeywords('a', 'b'), name, false)), name, []))
    expect(changed.own.content[0]).toEqual({
      rule_id: 'a',
      default: false,
      enabled: false,
      actions: [],
      pattern: 'cake',
    })
    expect(changed.own.content[1]?.enabled).toBe(true)
  })

  test('reach the thread rules only where they exist', () => {
    const name = { kind: 'postcontent', ruleId: '.io.element.msc4306.rule.subscribed_thread' }
    expect(codeOf(setEnabled(NO_PUSH_RULE_CHOICES, name, false))).toBe('404 M_NOT_FOUND')
    expect(
      codeOf(setEnabled(NO_PUSH_RULE_CHOICES, { ...name, features: { threadSubscriptions: true } }, false)),
    ).toBe('done')
  })

  const rule = { kind: 'content', ruleId: 'a' }
  test.each<[string, () => unknown, string]>([
    [
      'a rule that is not there',
      () => setEnabled(withKeywords('a'), { ...rule, ruleId: 'z' }, true),
      '404 M_NOT_FOUND',
    ],
    [
      'a default rule of another kind',
      () => setEnabled(withKeywords('a'), { kind: 'room', ruleId: '.m.rule.message' }, true),
      '404 M_NOT_FOUND',
    ],
    [
      'a default rule that is gone',
      () => setEnabled(withKeywords('a'), { kind: 'override', ruleId: '.m.rule.roomnotif' }, true),
      '404 M_NOT_FOUND',
    ],
    [
      'a kind that is a word of every object',
      () => setEnabled(withKeywords('a'), { kind: 'constructor', ruleId: 'a' }, true),
      '404 M_NOT_FOUND',
    ],
    ['enabled that is missing', () => setEnabled(withKeywords('a'), rule, undefined), '400 M_MISSING_PARAM'],
    ['enabled that is no boolean', () => setEnabled(withKeywords('a'), rule, 'yes'), '400 M_BAD_JSON'],
    ['actions that are missing', () => setActions(withKeywords('a'), rule, undefined), '400 M_MISSING_PARAM'],
    ['an unknown action', () => setActions(withKeywords('a'), rule, ['shout']), '400 M_INVALID_PARAM'],
  ])('refuse %s', (_says, edit, code) => {
    expect(codeOf(edit())).toBe(code)
  })
})

test('own rules stand between the master rule and the other defaults', () => {
  const choices = done(addRule(NO_PUSH_RULE_CHOICES, 'override', 'mine', { actions: [] }))
  expect(
    rulesetFor(choices, alice)
      .override.slice(0, 3)
      .map(({ rule_id }) => rule_id),
  ).toEqual(['.m.rule.master', 'mine', '.m.rule.suppress_notices'])
})
