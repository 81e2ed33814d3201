import type { Command } from '#actors/kernel/actor.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { ContentReported } from '#schema/journal/report.ts'
import { whyNotActive } from './account.ts'
import type { User, UserApply, UserDecide } from './memory.ts'

type Because = { reason: string | null }

/** What is reported is there: the caller has looked. spec: client-server-api#reporting-content */
export type ReportCommand =
  | Command<'reportEvent', { roomId: RoomId; eventId: EventId; sender: UserId; score: number | null } & Because>
  | Command<'reportRoom', { roomId: RoomId } & Because>
  | Command<'reportUser', { targetId: UserId } & Because>

type Report = Omit<ContentReported, 'kind' | 'userId' | 'ts'>
const NOTHING = { roomId: null, eventId: null, targetId: null, score: null } as const

export const decide = {
  reportEvent: (user, { roomId, eventId, sender, reason, score }, { now }) =>
    report(user, { about: 'event', roomId, eventId, targetId: sender, reason, score }, now),
  reportRoom: (user, { roomId, reason }, { now }) =>
    report(user, { ...NOTHING, about: 'room', roomId, reason }, now),
  reportUser: (user, { targetId, reason }, { now }) =>
    report(user, { ...NOTHING, about: 'user', targetId, reason }, now),
} satisfies UserDecide<ReportCommand, ContentReported>

function report(user: User, what: Report, ts: number) {
  const why = whyNotActive(user)
  if (why) return { refuse: why }
  const reported: ContentReported = { kind: 'contentReported', userId: user.userId, ...what, ts }
  return { facts: [reported], reply: undefined }
}

export const apply = {
  // Admins read reports in the store; the account decides nothing by them.
  contentReported() {},
} satisfies UserApply<ContentReported>
