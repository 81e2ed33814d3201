import type { Kinded } from '#actors/kernel/actor.ts'
import type { Store } from './store.ts'

/**
 * Turns one fact into table rows, inside the transaction that writes the journal. `actorId` is the id part of the
 * actor's address. Called by the journal and by no one else.
 */
export type Project<F extends Kinded> = (store: Store, fact: F, position: number, actorId: string) => void

/** How a fact whose rows hold all of it is read back; the journal then keeps no second copy. */
export type Hydrate<F extends Kinded> = (store: Store, position: number, actorId: string) => F

export type Projection<F extends Kinded> = Readonly<{
  project: Project<F>
  /** Present: the fact is not stored in the journal but read back from its rows. */
  hydrate?: Hydrate<F>
  /** Present: what is sent to the writer thread in place of the fact, where parts of it are for memory only. */
  dehydrate?: (fact: F) => Kinded
}>

/** One projection per fact kind of a union: a missing one does not compile. */
export type ProjectionsOf<F extends Kinded> = { readonly [K in F['kind']]: Projection<Extract<F, { kind: K }>> }

export type AnyProjection = Readonly<{
  project: (store: Store, fact: never, position: number, actorId: string) => void
  hydrate?: (store: Store, position: number, actorId: string) => Kinded
  dehydrate?: (fact: never) => Kinded
}>

/** For facts that only an actor's memory needs. */
export const noRows = { project: () => {} } as const
