import type { MatrixError } from '#schema/matrix-error.ts'

/** A command is plain data with a `kind`. Its reply type rides along unseen. */
declare const answer: unique symbol
export type Command<Kind extends string, Body extends object = object, Reply = void> =
  Readonly<{ kind: Kind } & Body> & { readonly [answer]?: { of: Reply } }

export type Kinded = Readonly<{ kind: string }>
export type AnyCommand = Kinded & { readonly [answer]?: { of: unknown } }
export type OfKind<T extends Kinded, Kind extends string> = Extract<T, { kind: Kind }>
export type ReplyOf<C extends AnyCommand> = C extends { readonly [answer]?: { of: infer Reply } } ? Reply : never

/** Everything a decision may know besides its memory: no clock, dice or network of its own. */
export type Turn = Readonly<{
  /** Names this turn, and no other ever; an `answer` effect that comes later refers to it. */
  id: string
  /** Milliseconds since 1970, the same for all turns of one tick of the event loop. */
  now: number
  /** Fresh randomness, 32 URL-safe characters, one per turn; the only source of new ids and tokens. */
  nonce: string
  /** Id of the request that set this off. */
  cause: string
  /** The position that this turn's first fact will have, if it has one. */
  position: number
  /**
   * Everything up to this position was in the tables when the command was sent: what its sender has found there, or has
   * not, is true up to here. It never falls from one turn of an actor to the next.
   */
  written: number
}>

/**
 * `facts` go to disk, `notes` to memory only, `effects` wait until the facts are on disk.
 * All of it is plain data that shares nothing mutable with the memory: when it leaves, memory has moved on.
 */
export type Decision<Fact, Note, Effect, Reply> = Readonly<
  | { refuse: MatrixError }
  | { facts?: readonly Fact[]; notes?: readonly Note[]; effects?: readonly Effect[]; reply: Reply }
  /** The reply comes later, by an `answer` effect addressed to this turn's id. */
  | { facts?: readonly Fact[]; notes?: readonly Note[]; effects?: readonly Effect[]; replyLater: true }
>

/** One handler per command kind: a missing one does not compile. */
export type Decide<Memory, C extends AnyCommand, Fact, Note, Effect, T extends Turn = Turn> = {
  readonly [K in C['kind']]: (
    memory: Memory,
    command: OfKind<C, K>,
    turn: T,
  ) => Decision<Fact, Note, Effect, ReplyOf<OfKind<C, K>>>
}

/**
 * One handler per fact or note kind; the only place that writes memory, and it writes in place.
 * It never changes a part of a fact that it keeps: the fact is still on its way to the disk.
 * `position` is the fact's own, the same at replay; a note is given that of the newest fact in memory. `written` is
 * that of the turn; at replay all is written. It may decide how long something is remembered, and nothing else.
 */
export type Apply<Memory, F extends Kinded> = {
  readonly [K in F['kind']]: (memory: Memory, fact: OfKind<F, K>, position: number, written: number) => void
}

export type Behaviour<Memory, C extends AnyCommand, Fact extends Kinded, Note extends Kinded, Effect, T extends Turn = Turn> =
  Readonly<{
    kind: string
    empty: (id: string) => Memory
    decide: Decide<Memory, C, Fact, Note, Effect, T>
    apply: Apply<Memory, Fact | Note>
    /** Some memory is notes only (who is typing); while it holds any, the actor stays awake. */
    mayRest?: (memory: Memory) => boolean
    /** It decides by rows of its own tables as well: each turn waits until its earlier facts are on disk. */
    readsTables?: boolean
    snapshot: Readonly<{
      /** Raise it when the frozen form changes: old snapshots are then ignored and the journal is replayed. */
      version: number
      /** Facts between two snapshots; may grow with the memory, so that freezing stays cheap per fact. */
      every: (memory: Memory) => number
      freeze: (memory: Memory) => unknown
      thaw: (frozen: never, id: string) => Memory
    }>
  }>

/** A behaviour whose types the kernel no longer needs to know: it only moves commands, facts and notes. */
export type AnyBehaviour<Effect = unknown> = Readonly<{
  kind: string
  empty: (id: string) => unknown
  decide: Readonly<Record<string, (memory: never, command: never, turn: never) => Decision<Kinded, Kinded, Effect, unknown>>>
  apply: Readonly<Record<string, (memory: never, fact: never, position: number, written: number) => void>>
  mayRest?: (memory: never) => boolean
  readsTables?: boolean
  snapshot: Readonly<{
    version: number
    every: (memory: never) => number
    freeze: (memory: never) => unknown
    thaw: (frozen: never, id: string) => unknown
  }>
}>

declare const mail: unique symbol
/** Where an actor lives: `kind/id`. The commands it understands ride along as a type. */
export type Address<C extends AnyCommand> = Readonly<{ kind: string; id: string }> & { readonly [mail]?: (command: C) => void }

export interface Ref<C extends AnyCommand> {
  tell(command: C, cause: string): void
  ask<const X extends C>(command: X, cause: string): Promise<ReplyOf<OfKind<C, X['kind']>>>
}

export const addressText = (address: { kind: string; id: string }): string => `${address.kind}/${address.id}`
