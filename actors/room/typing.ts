import type { Command } from '#actors/kernel/actor.ts'
import { after, ringRoom } from '#actors/effects.ts'
import type { UserId } from '#schema/identifiers.ts'
import { notInRoom } from '#schema/matrix-error.ts'
import { isJoined, type Room, type RoomApply, type RoomDecide } from './memory.ts'

/** However long a client asks for, nobody types for more than two minutes without saying so again. */
export const LONGEST_TYPING_MS = 120_000

export type TypingCommand =
  /** `timeoutMs` 0: has stopped. */
  | Command<'setTyping', { userId: UserId; timeoutMs: number }>
  | Command<'typingDue'>

/** Typing is a note: it lives in memory only. A restart forgets it and the spec is content with that. */
export type TypingNote = Readonly<{ kind: 'typingChanged'; userId: UserId; until: number }>

export const decide = {
  setTyping(room, { userId, timeoutMs }, { now }) {
    if (!isJoined(room, userId)) return { refuse: notInRoom() }
    const lasts = Math.min(timeoutMs, LONGEST_TYPING_MS)
    const until = lasts > 0 ? now + lasts : 0
    const typing = [...room.typing.keys()].filter((other) => other !== userId)
    const timers = lasts > 0 ? [after(lasts + 1, { kind: 'typingDue' })] : []
    return {
      notes: [{ kind: 'typingChanged', userId, until }],
      effects: [ringRoom(room.roomId, 'typing', lasts > 0 ? [...typing, userId] : typing), ...timers],
      reply: undefined,
    }
  },

  typingDue(room, _command, { now }) {
    const over = [...room.typing].filter(([, until]) => until <= now).map(([userId]) => userId)
    if (over.length === 0) return { reply: undefined }
    return {
      notes: over.map((userId) => ({ kind: 'typingChanged', userId, until: 0 })),
      effects: [ringRoom(room.roomId, 'typing', stillTyping(room, over))],
      reply: undefined,
    }
  },
} satisfies RoomDecide<TypingCommand, never, TypingNote>

const stillTyping = (room: Room, over: readonly UserId[]): UserId[] =>
  [...room.typing.keys()].filter((userId) => !over.includes(userId))

export const apply = {
  typingChanged(room, { userId, until }) {
    if (until > 0) room.typing.set(userId, until)
    else room.typing.delete(userId)
  },
} satisfies RoomApply<TypingNote>
