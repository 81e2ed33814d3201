import type { Camel, Reading, ValueOf } from './reading.ts'

/**
 * Where an option of Synapse stands here: `served` (does what it says), `needless` (accepted; there is nothing to
 * set), `notYet` (a warning, and the start goes on), `refused` (not served, and ignoring it would leave something
 * unprotected: the start is refused unless it has its harmless value).
 */
export type Standing = 'served' | 'needless' | 'notYet' | 'refused'

export type Option<R extends Reading<unknown> | null = Reading<unknown> | null> = Readonly<{
  standing: Standing
  /** One sentence: what it does, or why it is needless, or what happens instead. */
  about: string
  reading: R
  /** With this value (or when absent) a `notYet` or `refused` option changes nothing and is passed over. */
  harmless?: unknown
}>

export type Options = Readonly<Record<string, Option>>

export const served = <R extends Reading<unknown>>(reading: R, about: string): Option<R> =>
  ({ standing: 'served', about, reading })

export const needless = (about: string): Option<null> => ({ standing: 'needless', about, reading: null })

export const notYet = (about: string, harmless?: unknown): Option<null> =>
  ({ standing: 'notYet', about, reading: null, harmless })

/** An option that restricts or protects; to ignore it would be worse than not to start. */
export const refused = (about: string, harmless?: unknown): Option<null> =>
  ({ standing: 'refused', about, reading: null, harmless })

/** What a group of options becomes in the configuration: camelCase names, read values. */
export type ConfigOf<G> = {
  readonly [K in keyof G & string as G[K] extends Option<Reading<unknown>> ? Camel<K> : never]:
    G[K] extends Option<infer R> ? ValueOf<R> : never
}
