import type { Behaviour } from '#actors/kernel/actor.ts'
import type { Effect } from '#actors/effects.ts'
import type { WorldTurn } from '#actors/world.ts'
import { roomVersionRules } from '#core/room-version.ts'
import type { RoomFact } from '#schema/journal/room.ts'
import * as admin from './admin.ts'
import * as append from './append.ts'
import * as create from './create.ts'
import * as delayedEvents from './delayed-events.ts'
import * as selfDestruct from './self-destruct.ts'
import * as membership from './membership.ts'
import { emptyRoom, freezeRoom, type FrozenRoom, type Room, thawRoom } from './memory.ts'
import * as publicRooms from './public-rooms.ts'
import * as receipts from './receipts.ts'
import * as redaction from './redaction.ts'
import * as send from './send.ts'
import * as typing from './typing.ts'
import * as upgrade from './upgrade.ts'

export type RoomCommand =
  | admin.AdminCommand
  | create.CreateCommand
  | delayedEvents.DelayedEventCommand
  | selfDestruct.SelfDestructCommand
  | send.SendCommand
  | membership.MembershipCommand
  | redaction.RedactionCommand
  | receipts.ReceiptCommand
  | typing.TypingCommand
  | publicRooms.PublicRoomsCommand
  | upgrade.UpgradeCommand
export type RoomNote = typing.TypingNote

/** Facts between two snapshots of a small room; a big one waits for as many as it has state. */
const FACTS_PER_SNAPSHOT = 500

export const room: Behaviour<Room, RoomCommand, RoomFact, RoomNote, Effect, WorldTurn> = {
  kind: 'room',
  empty: emptyRoom,
  decide: {
    ...admin.decide,
    ...create.decide,
    ...delayedEvents.decide,
    ...selfDestruct.decide,
    ...send.decide,
    ...membership.decide,
    ...redaction.decide,
    ...receipts.decide,
    ...typing.decide,
    ...publicRooms.decide,
    ...upgrade.decide,
  },
  apply: {
    ...append.apply,
    ...delayedEvents.apply,
    ...selfDestruct.apply,
    ...membership.apply,
    ...redaction.apply,
    ...receipts.apply,
    ...typing.apply,
    ...publicRooms.apply,
  },
  mayRest: ({ typing }) => typing.size === 0,
  snapshot: {
    version: 2,
    every: ({ state }) => Math.max(FACTS_PER_SNAPSHOT, state.size),
    freeze: freezeRoom,
    thaw: (frozen: FrozenRoom, id) => thawRoom(frozen, id, frozen.version === null ? undefined : roomVersionRules(frozen.version)),
  },
}
