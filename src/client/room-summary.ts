import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { type MaybeSignedInCall, maybeSignedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { roomIdOf } from '#http/room-addresses.ts'
import { printSummary } from '#http/room-summaries.ts'
import { getRoomSummary } from '#schema/client/room-summary.ts'
import { notFound } from '#schema/matrix-error.ts'
import { findRoomSummary, maySeeSummary, membershipOf, type RoomSummary } from '#store/room-summary.ts'

export const roomSummaryPage = (server: Homeserver) => {
  const older = maybeSignedIn(server, getRoomSummary, (call) => {
    const summary = readSummary(server, call)
    return { ...printRead(server, call, summary), ...olderNames(summary) }
  })
  return page()
    .get(
      '/_matrix/client/v1/room_summary/:roomIdOrAlias',
      maybeSignedIn(server, getRoomSummary, (call) => printRead(server, call, readSummary(server, call))),
    )
    .get('/_matrix/client/unstable/im.nheko.summary/summary/:roomIdOrAlias', older)
    .get('/_matrix/client/unstable/im.nheko.summary/rooms/:roomIdOrAlias/summary', older)
}

type SummaryCall = MaybeSignedInCall<typeof getRoomSummary>

/** Strangers may ask too: they are told of rooms that anyone could enter, knock at or read. */
function readSummary(server: Homeserver, { params, requester }: SummaryCall): RoomSummary {
  const summary = findRoomSummary(server.store, roomIdOf(server, params.roomIdOrAlias))
  if (!summary || !maySeeSummary(server.store, summary, requester?.userId ?? null)) throw notFound('There is no such room, or you may not see it')
  return summary
}

const printRead = ({ store }: Homeserver, { requester }: SummaryCall, summary: RoomSummary): JsonObject => ({
  ...printSummary(summary),
  ...(requester ? { membership: membershipOf(store, summary.roomId, requester.userId) ?? 'leave' } : {}),
})

/** What was not in the proposal from the start had prefixed names. */
const olderNames = ({ version, encryption, allowedRoomIds }: RoomSummary): JsonObject => ({
  'im.nheko.summary.room_version': version,
  'im.nheko.summary.version': version,
  ...(encryption === null ? {} : { 'im.nheko.summary.encryption': encryption }),
  ...(allowedRoomIds.length === 0 ? {} : { 'im.nheko.summary.allowed_room_ids': allowedRoomIds }),
})
