import type { UserId } from '#schema/identifiers.ts'
import type { PushAction, PushCondition, PushRule, RuleKind } from '#schema/push-rules.ts'

/**
 * All rules of a user, most important first within each kind. `postcontent` (MSC4306) comes right after
 * `content`.
 */
export type Ruleset = Readonly<Record<RuleKind, readonly PushRule[]> & { postcontent?: readonly PushRule[] }>

/** Proposals that bring default rules of their own and are switched on by the server's configuration. */
export type PushFeatures = Readonly<{
  /** MSC4306: threads notify those who subscribed to them. */
  threadSubscriptions?: boolean
  /** MSC4028: every encrypted event is pushed, for clients that decide after decrypting. */
  pushAllEncrypted?: boolean
}>

/** The one default rule that outranks the user's own. spec: client-server-api#default-override-rules */
export const MASTER_RULE: PushRule = {
  rule_id: '.m.rule.master',
  default: true,
  enabled: false,
  conditions: [],
  actions: [],
}

const SOUND = { set_tweak: 'sound', value: 'default' }
const RING = { set_tweak: 'sound', value: 'ring' }
const HIGHLIGHT = { set_tweak: 'highlight' }

const matches = (key: string, pattern: string): PushCondition => ({ kind: 'event_match', key, pattern })
const is = (key: string, value: string | boolean): PushCondition => ({
  kind: 'event_property_is',
  key,
  value,
})
const twoMembers: PushCondition = { kind: 'room_member_count', is: '2' }
const subscribed = (yes: boolean): PushCondition => ({
  kind: 'io.element.msc4306.thread_subscription',
  subscribed: yes,
})

const rule = (
  rule_id: string,
  conditions: readonly PushCondition[],
  actions: readonly PushAction[],
): PushRule => ({ rule_id, default: true, enabled: true, conditions, actions })

/**
 * The default rules below the user's own, without the master rule. Since v1.17 they hold none of the rules
 * that read mentions out of the body (`.m.rule.contains_display_name`, `.m.rule.roomnotif`,
 * `.m.rule.contains_user_name`). Rules whose id does not start with `.m.rule.` are no part of the spec: polls
 * (MSC3930), the ringing of MatrixRTC calls (MSC4075), Jitsi widgets and those of `features`.
 * spec: client-server-api#predefined-rules
 */
export function defaultRules(userId: UserId, features: PushFeatures = {}): Ruleset {
  return {
    override: overrideRules(userId, features),
    content: [],
    ...(features.threadSubscriptions ? { postcontent: THREAD_RULES } : {}),
    room: [],
    sender: [],
    underride: UNDERRIDE_RULES,
  }
}

/** spec: client-server-api#default-override-rules */
const overrideRules = (userId: UserId, { pushAllEncrypted = false }: PushFeatures): PushRule[] => [
  ...(pushAllEncrypted ? [ALL_ENCRYPTED] : []),
  SUPPRESS_NOTICES,
  rule(
    '.m.rule.invite_for_me',
    [matches('type', 'm.room.member'), matches('content.membership', 'invite'), matches('state_key', userId)],
    ['notify', SOUND],
  ),
  MEMBER_EVENT,
  rule(
    '.m.rule.is_user_mention',
    [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: userId }],
    ['notify', SOUND, HIGHLIGHT],
  ),
  ...OVERRIDE_RULES_BELOW_MENTIONS,
]

// What is the same for every user is made once: rules are told apart by their object where they are compiled.
const ALL_ENCRYPTED = rule(
  '.org.matrix.msc4028.encrypted_event',
  [matches('type', 'm.room.encrypted')],
  ['notify'],
)
const SUPPRESS_NOTICES = rule('.m.rule.suppress_notices', [matches('content.msgtype', 'm.notice')], [])
const MEMBER_EVENT = rule('.m.rule.member_event', [matches('type', 'm.room.member')], [])
const OVERRIDE_RULES_BELOW_MENTIONS: readonly PushRule[] = [
  rule(
    '.m.rule.is_room_mention',
    [is('content.m\\.mentions.room', true), { kind: 'sender_notification_permission', key: 'room' }],
    ['notify', HIGHLIGHT],
  ),
  rule(
    '.m.rule.tombstone',
    [matches('type', 'm.room.tombstone'), matches('state_key', '')],
    ['notify', HIGHLIGHT],
  ),
  rule('.m.rule.reaction', [matches('type', 'm.reaction')], []),
  rule('.m.rule.room.server_acl', [matches('type', 'm.room.server_acl'), matches('state_key', '')], []),
  rule('.m.rule.suppress_edits', [is('content.m\\.relates_to.rel_type', 'm.replace')], []),
  rule('.org.matrix.msc3930.rule.poll_response', [is('type', 'org.matrix.msc3381.poll.response')], []),
]

const THREAD_RULES: readonly PushRule[] = [
  rule('.io.element.msc4306.rule.unsubscribed_thread', [subscribed(false)], []),
  rule('.io.element.msc4306.rule.subscribed_thread', [subscribed(true)], ['notify', SOUND]),
]

/** spec: client-server-api#default-underride-rules */
const UNDERRIDE_RULES: readonly PushRule[] = [
  rule('.m.rule.call', [matches('type', 'm.call.invite')], ['notify', RING]),
  rule(
    '.m.rule.encrypted_room_one_to_one',
    [twoMembers, matches('type', 'm.room.encrypted')],
    ['notify', SOUND],
  ),
  rule('.m.rule.room_one_to_one', [twoMembers, matches('type', 'm.room.message')], ['notify', SOUND]),
  rule('.m.rule.message', [matches('type', 'm.room.message')], ['notify']),
  rule('.m.rule.encrypted', [matches('type', 'm.room.encrypted')], ['notify']),
  rule(
    '.im.vector.jitsi',
    [
      matches('type', 'im.vector.modular.widgets'),
      matches('content.type', 'jitsi'),
      matches('state_key', '*'),
    ],
    ['notify'],
  ),
  rule(
    '.org.matrix.msc4075.rule.rtc.notification',
    [is('type', 'org.matrix.msc4075.rtc.notification'), is('content.notification_type', 'ring')],
    ['notify', RING],
  ),
  rule(
    '.org.matrix.msc3930.rule.poll_start_one_to_one',
    [twoMembers, is('type', 'org.matrix.msc3381.poll.start')],
    ['notify', SOUND],
  ),
  rule('.org.matrix.msc3930.rule.poll_start', [is('type', 'org.matrix.msc3381.poll.start')], ['notify']),
  rule(
    '.org.matrix.msc3930.rule.poll_end_one_to_one',
    [twoMembers, is('type', 'org.matrix.msc3381.poll.end')],
    ['notify', SOUND],
  ),
  rule('.org.matrix.msc3930.rule.poll_end', [is('type', 'org.matrix.msc3381.poll.end')], ['notify']),
]
