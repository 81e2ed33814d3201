import type { RoomEvent } from '#schema/pdu.ts'

/** A place in the room state, `${type}\0${state_key}` as one string, so that it can be the key of a `Map`. */
export type StateKey = string

/** Looks into one room state (or a part of one): the event at a type and state key, if there is any. */
export type StateLookup = (type: string, stateKey: string) => RoomEvent | undefined

// Neither a type nor a state key may be cut in two by accident: the first NUL ends the type.
const SEPARATOR = '\0'

export const stateKeyOf = (type: string, stateKey: string): StateKey => type + SEPARATOR + stateKey

/** The inverse of `stateKeyOf`: `[type, state_key]`. Event types hold no NUL, state keys may. */
export const splitStateKey = (key: StateKey): readonly [type: string, stateKey: string] => {
  const at = key.indexOf(SEPARATOR)
  return [key.slice(0, at), key.slice(at + 1)]
}

/** The place that a state event takes. For an event without a state key the answer is undefined. */
export const stateKeyOfEvent = ({ pdu }: RoomEvent): StateKey | undefined =>
  pdu.state_key === undefined ? undefined : stateKeyOf(pdu.type, pdu.state_key)
