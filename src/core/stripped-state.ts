/** A place of the state; `null` for every state key of the type. */
export type StatePlace = readonly [type: string, stateKey: string | null]

/** What someone outside is told of a room. spec: client-server-api#stripped-state */
export const STRIPPED_STATE: readonly StatePlace[] = [
  ['m.room.create', ''],
  ['m.room.join_rules', ''],
  ['m.room.name', ''],
  ['m.room.avatar', ''],
  ['m.room.canonical_alias', ''],
  ['m.room.encryption', ''],
  ['m.room.topic', ''],
]

type PrejoinState = Readonly<{
  disableDefaultEventTypes: boolean
  /** Each a type, and perhaps a state key. */
  additionalEventTypes: readonly (readonly string[])[]
}>

/** What the admin has people told of rooms that they are invited to: `room_prejoin_state`. */
export function strippedPlaces({ disableDefaultEventTypes, additionalEventTypes }: PrejoinState): readonly StatePlace[] {
  const more = additionalEventTypes.flatMap(([type, stateKey = null]): StatePlace[] =>
    type === undefined ? [] : [[type, stateKey]])
  return disableDefaultEventTypes ? more : [...STRIPPED_STATE, ...more]
}
