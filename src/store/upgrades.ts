import { ownValue } from '#core/event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { type PushRule, type PushRuleChoices, RULE_KINDS, type RuleKind } from '#schema/push-rules.ts'
import type { Store } from './store.ts'

type PersonalRow = { user: number; content: string }

/** Tags that members of a room have given it. */
export const listTagsOfMembers = ({ db, names }: Store, roomId: RoomId): { userId: UserId; tags: Record<string, JsonObject> }[] =>
  db
    .query<PersonalRow, [number]>(`
      SELECT a.user, a.content FROM memberships m JOIN account_data a ON a.user = m.user AND a.room = m.room AND a.type = 'm.tag'
       WHERE m.room = ? AND m.membership = 'join'`)
    .all(names.find(roomId) ?? -1)
    .map(({ user, content }) => ({ userId: names.textOf(user) as UserId, tags: tagsIn(JSON.parse(content) as JsonObject | null) }))

const tagsIn = (content: JsonObject | null): Record<string, JsonObject> => ({ ...(ownValue(content ?? {}, 'tags') as Record<string, JsonObject> | undefined) })

/** Members for whom the room is a direct chat, with the whole of their `m.direct`. */
export const listDirectOfMembers = ({ db, names }: Store, roomId: RoomId): { userId: UserId; direct: JsonObject }[] =>
  db
    .query<PersonalRow, [number, string]>(`
      SELECT a.user, a.content FROM memberships m JOIN account_data a ON a.user = m.user AND a.room = 0 AND a.type = 'm.direct'
       WHERE m.room = ? AND m.membership = 'join' AND instr(a.content, ?) > 0`)
    .all(names.find(roomId) ?? -1, JSON.stringify(roomId))
    .map(({ user, content }) => ({ userId: names.textOf(user) as UserId, direct: JSON.parse(content) as JsonObject }))

export type RoomRule = Readonly<{ userId: UserId; kind: RuleKind; rule: PushRule }>

/** Push rules of members that are about the room: those of kind `room`, and those with a condition on its id. */
export function listPushRulesOfMembers({ db, names }: Store, roomId: RoomId): RoomRule[] {
  const isAbout = (kind: RuleKind, { rule_id: ruleId, conditions = [] }: PushRule): boolean =>
    kind === 'room' ? ruleId === roomId : conditions.some((condition) => condition.key === 'room_id' && condition.pattern === roomId)
  return db
    .query<{ user: number; choices: string }, [number, string]>(`
      SELECT p.user, p.choices FROM memberships m JOIN push_rules p ON p.user = m.user
       WHERE m.room = ? AND m.membership = 'join' AND instr(p.choices, ?) > 0`)
    .all(names.find(roomId) ?? -1, JSON.stringify(roomId))
    .flatMap(({ user, choices }) => {
      const { own } = JSON.parse(choices) as PushRuleChoices
      return RULE_KINDS.flatMap((kind) =>
        own[kind].filter((rule) => isAbout(kind, rule)).map((rule) => ({ userId: names.textOf(user) as UserId, kind, rule })))
    })
}

/** The banned of a room, with the reason that was given. */
export const listBanned = ({ db, names }: Store, roomId: RoomId): (readonly [UserId, string | undefined])[] =>
  db
    .query<{ user: number; reason: string | null }, [number]>(`
      SELECT m.user, CASE json_type(e.json, '$.content.reason') WHEN 'text' THEN e.json ->> '$.content.reason' END AS reason
        FROM memberships m JOIN events e ON e.num = m.event WHERE m.room = ? AND m.membership = 'ban'`)
    .all(names.find(roomId) ?? -1)
    .map(({ user, reason }) => [names.textOf(user) as UserId, reason ?? undefined] as const)
