import { roomAt } from '#actors/addresses.ts'
import type { Address, AnyCommand } from '#actors/kernel/actor.ts'
import type { Config } from '#config'
import { listRoomsWithOriginals } from '#store/redacted-originals.ts'
import type { Store } from '#store/store.ts'

/** How often it is looked after what has been kept for long enough. */
export const HOUSEKEEPING_EVERY_MS = 5 * 60_000

export type Given = Readonly<{ store: Store; config: Config; now: number }>
export type Letter = Readonly<{ to: Address<never>; command: AnyCommand }>

const letter = <C extends AnyCommand>(to: Address<C>, command: C): Letter => ({ to: to as Address<never>, command })

/** What there is to clear away now: a letter to each actor that has something of it. */
export const chores = (given: Given): Letter[] => [...oldOriginals(given)]

/** What redacted events said goes after `redaction_retention_period`. */
function oldOriginals({ store, config: { redactionRetentionPeriod: keepMs }, now }: Given): Letter[] {
  if (keepMs === null) return []
  const until = now - keepMs
  return listRoomsWithOriginals(store, until).map((roomId) => letter(roomAt(roomId), { kind: 'forgetOriginals', until }))
}
