import type { ClientEvent } from '#core/sync/client-event.ts'
import type { Homeserver } from '#homeserver'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { MatrixError, notInRoom } from '#schema/matrix-error.ts'
import { bundlesFor } from '#store/bundles.ts'
import { printFor } from '#store/client-events.ts'
import { erasureFor } from '#store/erasure.ts'
import { deviceKeyOf } from '#store/events.ts'
import { findReach } from '#store/members.ts'
import { findMembership } from '#store/memberships.ts'
import { sightOf } from '#store/sight.ts'
import { findIgnoredUsers } from './account-settings.ts'
import type { Requester } from './endpoint.ts'

/** Somebody who looks into one room: what they may see of it, and how it is printed for them. */
export type RoomReader = Readonly<{
  roomId: RoomId
  userId: UserId
  /** The newest position whose state they may see; `Infinity` for those who are in the room or may look in from outside. */
  until: number
  /** Whether the room's history visibility lets them see the event of that number. */
  isInSight: (num: number) => boolean
  /** By the room's history visibility, and not by somebody whom they ignore. */
  maySee: (event: ClientEvent) => boolean
  /** JSON text of the event, redacted where its sender has been erased. Does not ask whether they may see it. */
  print: (event: ClientEvent, relations?: string) => string
  /** A page of events, comma-separated, each with what relates to it. */
  printAll: (events: readonly ClientEvent[]) => string
  ignored: () => ReadonlySet<string>
}>

/** Throws `M_FORBIDDEN` for someone who is not and never was in the room, unless it is world readable. */
export function roomReader(server: Homeserver, roomId: RoomId, requester: Requester): RoomReader {
  const until = findReach(server.store, roomId, requester.userId)
  if (until === undefined) throw notInRoom()
  return readerUpTo(server, roomId, requester, until)
}

/**
 * Somebody who names an event: besides those who may look around in the room they are those who may see just that one, as
 * the invited may where that is enough, and anyone what was said while the room was world readable. Nobody sees what they
 * have forgotten. spec: client-server-api#room-history-visibility
 */
export function eventReader(server: Homeserver, roomId: RoomId, requester: Requester): RoomReader | undefined {
  const until = findReach(server.store, roomId, requester.userId)
  if (until === undefined && findMembership(server.store, roomId, requester.userId)?.isForgotten) return undefined
  return readerUpTo(server, roomId, requester, until ?? 0)
}

function readerUpTo({ store, clock }: Homeserver, roomId: RoomId, { userId, deviceId }: Requester, until: number): RoomReader {
  const sight = sightOf(store, roomId, userId)
  const erase = erasureFor(store, roomId, sight)
  const device = deviceId === null ? undefined : deviceKeyOf(userId, deviceId)
  const now = clock.now()
  let known: ReadonlySet<string> | undefined
  const ignored = (): ReadonlySet<string> => (known ??= findIgnoredUsers(store, userId))
  const reader: RoomReader = {
    roomId,
    userId,
    until,
    ignored,
    isInSight: sight.maySee,
    maySee: (event) => sight.maySee(event.num) && (event.stateKey !== null || !ignored().has(event.sender)),
    printAll(events) {
      const bundles = bundlesFor(store, events, reader)
      return events.map((event) => reader.print(event, bundles.get(event.num))).join(',')
    },
    print: (event, relations) => printFor(store, erase(event), { now, membership: sight.membershipAt(event.num), device, relations }, roomId),
  }
  return reader
}

/** The same for endpoints that answer 404 where the reader may not see the room: undefined in place of `M_FORBIDDEN`. */
export function readerOrNone(server: Homeserver, roomId: RoomId, requester: Requester): RoomReader | undefined {
  try {
    return roomReader(server, roomId, requester)
  } catch (refusal) {
    if (refusal instanceof MatrixError) return undefined
    throw refusal
  }
}
