import type { Batch, Journal } from '#actors/kernel/journal.ts'

/** Who keeps something at hand that a batch may change. */
export type JournalListener = Readonly<{
  /** The batch is on disk; nothing of it has been said to the world. */
  committed: (batch: Batch) => void
  /** The batch, and all that was decided after it, is void. */
  failed?: () => void
}>

/** The same journal, telling each listener how every batch has ended. */
export const toldJournal = (journal: Journal, listeners: readonly JournalListener[]): Journal => ({
  get position() {
    return journal.position
  },
  async append(batch) {
    try {
      await journal.append(batch)
    } catch (failure) {
      for (const { failed } of listeners) failed?.()
      throw failure
    }
    for (const { committed } of listeners) committed(batch)
  },
  snapshotOf: (actor) => journal.snapshotOf(actor),
  factsOf: (actor, position) => journal.factsOf(actor, position),
  close: () => journal.close(),
})
