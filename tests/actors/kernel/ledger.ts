import type { Address, Apply, Behaviour, Command, Decide } from '#actors/kernel/actor.ts'
import { type ManualClock, manualClock } from '#actors/kernel/clock.ts'
import { type From, System, type SystemOptions, type TurnReport } from '#actors/kernel/system.ts'
import { forbidden, MatrixError } from '#schema/matrix-error.ts'
import { pack, unpack } from 'msgpackr'
import { memoryJournal, type MemoryJournal } from '#harness/memory-journal.ts'

/** A toy actor that books amounts, and remembers at which positions it was told so. */
export type Ledger = {
  total: number
  bookings: { position: number; amount: number; nonce: string }[]
  /** Notes only: a restart forgets it. */
  scribbles: string[]
  waiting: string[]
}

export type Receipt = { total: number; position: number }

export type Look = Receipt & { scribbles: readonly string[]; now: number; nonces: readonly string[] }

export type LedgerCommand =
  | Command<'book', { amounts: readonly number[]; say?: string }, Receipt>
  | Command<'look', { say?: string }, Look>
  | Command<'scribble', { text: string }, number>
  | Command<'decline', { why: string }>
  | Command<'crash'>
  /** Books the first amount and then stumbles over a fact that nobody can apply. */
  | Command<'stumble', { amount: number }>
  | Command<'pass', { to: string; amount: number; hops: number }>
  | Command<'wait', { amount: number; say?: string }, string>
  | Command<'callWaiting', { reply: string }>
  | Command<'explode', object, string>
  | Command<'leave', { amount: number }>

export type LedgerFact = { kind: 'booked'; amount: number; nonce: string }
export type LedgerNote =
  | { kind: 'scribbled'; text: string }
  | { kind: 'waitBegan'; turn: string }
  | { kind: 'waitsEnded' }

export type LedgerEffect =
  | { kind: 'say'; text: string }
  | { kind: 'tell'; to: string; command: LedgerCommand }
  | { kind: 'answer'; to: string; reply: unknown }
  | { kind: 'explode' }
  | { kind: 'rest' }

const booked = (amount: number, nonce: string): LedgerFact => ({ kind: 'booked', amount, nonce })
/** A fact that the types forbid and an old journal might hold. */
const unheardOf = { kind: 'unheardOf' } as never
const toBook = (amount: number): LedgerCommand => ({ kind: 'book', amounts: [amount] })
const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0)
const said = (text: string | undefined): LedgerEffect[] => (text === undefined ? [] : [{ kind: 'say', text }])

const decide: Decide<Ledger, LedgerCommand, LedgerFact, LedgerNote, LedgerEffect> = {
  book: (ledger, { amounts, say }, turn) => ({
    facts: amounts.map((amount) => booked(amount, turn.nonce)),
    effects: said(say),
    reply: { total: ledger.total + sum(amounts), position: turn.position },
  }),
  look: (ledger, { say }, turn) => ({
    effects: said(say),
    reply: {
      total: ledger.total,
      position: turn.position,
      scribbles: [...ledger.scribbles],
      now: turn.now,
      nonces: [turn.nonce, turn.nonce],
    },
  }),
  scribble: (ledger, { text }) => ({ notes: [{ kind: 'scribbled', text }], reply: ledger.scribbles.length + 1 }),
  decline: (_ledger, { why }) => ({ refuse: forbidden(why) }),
  crash() {
    throw new Error('a bug')
  },
  stumble: (_ledger, { amount }, { nonce }) => ({ facts: [booked(amount, nonce), unheardOf], reply: undefined }),
  pass: (_ledger, { to, amount, hops }, { id, nonce }) => ({
    facts: [booked(amount, nonce)],
    effects: [
      { kind: 'say', text: `passed by ${id.slice(0, id.indexOf('#'))}` },
      { kind: 'tell', to, command: hops > 1 ? { kind: 'pass', to, amount, hops: hops - 1 } : toBook(amount) },
    ],
    reply: undefined,
  }),
  wait: (_ledger, { amount, say }, { id, nonce }) => ({
    facts: amount > 0 ? [booked(amount, nonce)] : [],
    notes: [{ kind: 'waitBegan', turn: id }],
    effects: said(say),
    replyLater: true,
  }),
  callWaiting: ({ waiting }, { reply }) => ({
    notes: [{ kind: 'waitsEnded' }],
    effects: waiting.map((to) => ({ kind: 'answer', to, reply })),
    reply: undefined,
  }),
  explode: () => ({ effects: [{ kind: 'explode' }, { kind: 'say', text: 'after the explosion' }], reply: 'survived' }),
  leave: (_ledger, { amount }, { nonce }) => ({
    facts: amount > 0 ? [booked(amount, nonce)] : [],
    effects: [{ kind: 'rest' }],
    reply: undefined,
  }),
}

const apply: Apply<Ledger, LedgerFact | LedgerNote> = {
  booked(ledger, { amount, nonce }, position) {
    ledger.total += amount
    ledger.bookings.push({ position, amount, nonce })
  },
  scribbled: (ledger, { text }) => void ledger.scribbles.push(text),
  waitBegan: (ledger, { turn }) => void ledger.waiting.push(turn),
  waitsEnded(ledger) {
    ledger.waiting = []
  },
}

export type Frozen = Pick<Ledger, 'total' | 'bookings'>

/** The frozen form shares its list with the living memory on purpose: that must do no harm. */
export const ledger: Behaviour<Ledger, LedgerCommand, LedgerFact, LedgerNote, LedgerEffect> = {
  kind: 'ledger',
  empty: () => ({ total: 0, bookings: [], scribbles: [], waiting: [] }),
  decide,
  apply,
  mayRest: ({ scribbles }) => scribbles.length === 0,
  snapshot: {
    version: 1,
    every: () => 25,
    freeze: ({ total, bookings }): Frozen => ({ total, bookings }),
    thaw: ({ total, bookings }: Frozen) => ({ total, bookings: [...bookings], scribbles: [], waiting: [] }),
  },
}

export const at = (id: string): Address<LedgerCommand> => ({ kind: 'ledger', id })

/** msgpackr there and back: what is not plain data does not survive it. */
export const throughMsgpackr = <T>(mail: T): T => unpack(pack(mail)) as T

export type Overrides = Partial<SystemOptions<{ place: string }, LedgerEffect>>

/** A system of ledgers on a journal in memory and a clock that stands still, with everything it says written down. */
export function countingHouse(journal: MemoryJournal = memoryJournal(), overrides: Overrides = {}) {
  const clock: ManualClock = manualClock()
  const saidAloud: { text: string; from: From; onDisk: number }[] = []
  const crashes: { actor: string; command: string; error: unknown }[] = []
  const reports: TurnReport[] = []
  let nonces = 0
  const perform = (effect: LedgerEffect, from: From): void => {
    if (effect.kind === 'say') saidAloud.push({ text: effect.text, from, onDisk: journal.position })
    else if (effect.kind === 'tell') system.tell(at(effect.to), effect.command, from.cause)
    else if (effect.kind === 'answer') system.answer(effect.to, effect.reply)
    else if (effect.kind === 'rest') system.rest(at(from.id))
    else throw new Error('an effect that fails')
  }
  const system = new System<{ place: string }, LedgerEffect>({
    journal,
    clock,
    behaviours: [ledger],
    world: { place: 'a.example' },
    nonce: () => `nonce-${++nonces}`,
    perform,
    crashed: (actor, command, error) => void crashes.push({ actor, command, error }),
    reportTurn: (report) => void reports.push(report),
    carry: throughMsgpackr,
    // A test machine that pauses must not change what one tick holds.
    tickMs: Number.POSITIVE_INFINITY,
    ...overrides,
  })
  const book = (id: string, ...amounts: number[]): Promise<Receipt> =>
    system.ref(at(id)).ask({ kind: 'book', amounts }, 'test')
  const look = (id: string) => system.ref(at(id)).ask({ kind: 'look' }, 'test')
  const ask = <const C extends LedgerCommand>(id: string, command: C) => system.ref(at(id)).ask(command, 'test')
  const tell = (id: string, command: LedgerCommand): void => system.tell(at(id), command, 'test')
  return { system, clock, journal, said: saidAloud, crashes, reports, book, look, ask, tell }
}

/** What became of an ask: the reply, or the status and code of the refusal. */
export const outcome = (reply: Promise<unknown>): Promise<unknown> =>
  reply.catch((error: unknown) => (error instanceof MatrixError ? `${error.status} ${error.errcode}` : error))
