import { roomAt } from '#actors/addresses.ts'
import { listDueSelfDestructs } from '#store/self-destruct.ts'
import { type Chore, letter } from './letters.ts'

/** So much later than its sender wanted a message may end. */
export const SELF_DESTRUCT_EVERY_MS = 1_000
/** Messages that end in one round; the next round goes on. */
export const SELF_DESTRUCTS_PER_ROUND = 500

/**
 * Messages end at the time that their sender has set. What is due is a question to the table, so no timer has to outlive
 * a restart.
 */
export const selfDestructs: Chore = {
  everyMs: SELF_DESTRUCT_EVERY_MS,
  letters: ({ store, now }) =>
    listDueSelfDestructs(store, now, SELF_DESTRUCTS_PER_ROUND).map(({ roomId, eventId }) =>
      letter(roomAt(roomId), { kind: 'selfDestruct', eventId })),
}
