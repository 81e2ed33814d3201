import { membershipOf } from '#core/event-content.ts'
import type { Pdu, RoomEvent } from '#schema/pdu.ts'
import type { PowerLevels } from '#core/power-levels.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import type { StateLookup } from '#core/state-key.ts'

/** What the rules for one event look at: the event and the room state that it is checked against. */
export type AuthContext = Readonly<{
  rules: RoomVersionRules
  pdu: Pdu
  state: StateLookup
  create: RoomEvent
  levels: PowerLevels
}>

/** The user's current membership; undefined for someone who never had one. */
export const currentMembership = (state: StateLookup, userId: string): string | undefined =>
  membershipOf(state('m.room.member', userId))
