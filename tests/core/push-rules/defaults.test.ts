import { describe, expect, test } from 'bun:test'
import { defaultRules } from '#core/push-rules/defaults.ts'
import { NO_PUSH_RULE_CHOICES, rulesetFor } from '#core/push-rules/ruleset.ts'

const alice = '@alice:a.example' as const
const idsOf = (rules: readonly { rule_id: string }[] = []): string[] => rules.map(({ rule_id }) => rule_id)

describe('the default rules', () => {
  test('of the specification stand in its order', () => {
    const { override, content, room, sender, underride } = rulesetFor(NO_PUSH_RULE_CHOICES, alice)
    expect({
      override: idsOf(override).filter((id) => id.startsWith('.m.')),
      underride: idsOf(underride).filter((id) => id.startsWith('.m.')),
      others: [content, room, sender],
    }).toEqual({
      override: [
        '.m.rule.master',
        '.m.rule.suppress_notices',
        '.m.rule.invite_for_me',
        '.m.rule.member_event',
        '.m.rule.is_user_mention',
        '.m.rule.is_room_mention',
        '.m.rule.tombstone',
        '.m.rule.reaction',
        '.m.rule.room.server_acl',
        '.m.rule.suppress_edits',
      ],
      underride: [
        '.m.rule.call',
        '.m.rule.encrypted_room_one_to_one',
        '.m.rule.room_one_to_one',
        '.m.rule.message',
        '.m.rule.encrypted',
      ],
      others: [[], [], []],
    })
  })

  test('hold none of the rules that read mentions out of the body', () => {
    const all = JSON.stringify(defaultRules(alice, { threadSubscriptions: true, pushAllEncrypted: true }))
    expect(all).not.toMatch(/contains_display_name|roomnotif|contains_user_name/)
  })

  test('name the user whose rules they are', () => {
    const { override } = defaultRules(alice)
    expect(override.filter(({ rule_id }) => /invite_for_me|is_user_mention/.test(rule_id))).toEqual([
      {
        rule_id: '.m.rule.invite_for_me',
        default: true,
        enabled: true,
        conditions: [
          { kind: 'event_match', key: 'type', pattern: 'm.room.member' },
          { kind: 'event_match', key: 'content.membership', pattern: 'invite' },
          { kind: 'event_match', key: 'state_key', pattern: alice },
        ],
        actions: ['notify', { set_tweak: 'sound', value: 'default' }],
      },
      {
        rule_id: '.m.rule.is_user_mention',
        default: true,
        enabled: true,
        conditions: [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: alice }],
        actions: ['notify', { set_tweak: 'sound', value: 'default' }, { set_tweak: 'highlight' }],
      },
    ])
  })

  test('are off for the master rule alone', () => {
    const { override, underride } = rulesetFor(NO_PUSH_RULE_CHOICES, alice)
    expect(idsOf([...override, ...underride].filter(({ enabled }) => !enabled))).toEqual(['.m.rule.master'])
  })

  test('cover polls in either direction', () => {
    const { override, underride } = defaultRules(alice)
    expect(idsOf([...override, ...underride]).filter((id) => id.includes('poll'))).toEqual([
      '.org.matrix.msc3930.rule.poll_response',
      '.org.matrix.msc3930.rule.poll_start_one_to_one',
      '.org.matrix.msc3930.rule.poll_start',
      '.org.matrix.msc3930.rule.poll_end_one_to_one',
      '.org.matrix.msc3930.rule.poll_end',
    ])
  })

  test('gain the thread rules between content and room where threads can be subscribed to', () => {
    expect(defaultRules(alice).postcontent).toBeUndefined()
    const { postcontent } = defaultRules(alice, { threadSubscriptions: true })
    expect(idsOf(postcontent)).toEqual([
      '.io.element.msc4306.rule.unsubscribed_thread',
      '.io.element.msc4306.rule.subscribed_thread',
    ])
  })
})
