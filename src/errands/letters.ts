import type { Address, AnyCommand } from '#actors/kernel/actor.ts'
import type { Config } from '#config'
import type { Store } from '#store/store.ts'

export type Given = Readonly<{ store: Store; config: Config; now: number }>
export type Letter = Readonly<{ to: Address<never>; command: AnyCommand }>

/** Something that is to be looked after again and again: a letter to each actor that has something of it. */
export type Chore = Readonly<{ everyMs: number; letters: (given: Given) => readonly Letter[] }>

export const letter = <C extends AnyCommand>(to: Address<C>, command: C): Letter => ({ to: to as Address<never>, command })
