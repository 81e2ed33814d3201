import type { ClientEvent } from '#core/sync/client-event.ts'
import { printTimelineToken, type TimelineToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { rawJson, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { after, before, SCAN_LIMIT } from '#http/history.ts'
import { page } from '#http/page.ts'
import { placeIn, readLimit, readPlace } from '#http/pagination.ts'
import { readerOrNone, type RoomReader } from '#http/room-reader.ts'
import { getRelatingEvents } from '#schema/client/relations.ts'
import { readBoolean } from '#schema/client/query.ts'
import { notFound } from '#schema/matrix-error.ts'
import { findClientEvent } from '#store/client-events.ts'
import { type ChildrenQuery, listChildren, RECURSION_DEPTH } from '#store/relations.ts'
import type { Store } from '#store/store.ts'

const LIMIT_DEFAULT = 20
const LIMIT = 1_000

export const relationsPage = (server: Homeserver) => {
  const stable = signedIn(server, getRelatingEvents, (call) => rawJson(readRelations(server, call, false)))
  const unstable = signedIn(server, getRelatingEvents, (call) => rawJson(readRelations(server, call, true)))
  return page()
    .get('/_matrix/client/v1/rooms/:roomId/relations/:eventId', stable)
    .get('/_matrix/client/v1/rooms/:roomId/relations/:eventId/:relType', stable)
    .get('/_matrix/client/v1/rooms/:roomId/relations/:eventId/:relType/:eventType', stable)
    .get('/_matrix/client/unstable/rooms/:roomId/relations/:eventId', unstable)
    .get('/_matrix/client/unstable/rooms/:roomId/relations/:eventId/:relType', unstable)
    .get('/_matrix/client/unstable/rooms/:roomId/relations/:eventId/:relType/:eventType', unstable)
}

/** spec: client-server-api#get_matrixclientv1roomsroomidrelationseventid. The old path shows the parent too: bots read it. */
function readRelations(server: Homeserver, { params, query, requester }: SignedInCall<typeof getRelatingEvents>, showsParent: boolean): string {
  const { store } = server
  const { roomId, eventId, relType, eventType } = params
  const reader = readerOrNone(server, roomId, requester)
  const parent = reader && findClientEvent(store, roomId, eventId)
  if (!parent || !reader.maySee(parent)) throw notFound('There is no such event, or you may not see it')
  const recurse = query.recurse ?? query['org.matrix.msc3981.recurse']
  const dir = query.dir ?? query['org.matrix.msc3715.dir'] ?? 'b'
  const { events, next } = readChildren(store, reader, {
    parent: parent.num,
    relType,
    eventType,
    isRecursive: readBoolean(recurse),
    from: query.from ? placeIn(store, roomId, readPlace(query.from, 'from')) : (dir === 'b' ? END : BEGINNING),
    to: query.to ? placeIn(store, roomId, readPlace(query.to, 'to')) : undefined,
    dir,
    limit: readLimit(query.limit === undefined ? undefined : Number(query.limit), LIMIT_DEFAULT, LIMIT),
  })
  return [
    `{"chunk":[${reader.printAll(events)}]`,
    next ? `,"next_batch":"${printTimelineToken(next)}"` : '',
    query.from ? `,"prev_batch":${JSON.stringify(query.from)}` : '',
    recurse === undefined ? '' : `,"recursion_depth":${readBoolean(recurse) ? RECURSION_DEPTH : 1}`,
    showsParent ? `,"original_event":${reader.printAll([parent])}` : '',
    '}',
  ].join('')
}

const BEGINNING: TimelineToken = { depth: 0, num: 0 }
const END: TimelineToken = { depth: Number.MAX_SAFE_INTEGER, num: Number.MAX_SAFE_INTEGER }

type Page = Readonly<{ events: readonly ClientEvent[]; next: TimelineToken | undefined }>

/** The next of them that the reader may see, and where it goes on if it does. */
function readChildren(store: Store, reader: RoomReader, query: ChildrenQuery): Page {
  const { dir, limit } = query
  const events: ClientEvent[] = []
  let { from } = query
  for (let scanned = 0; scanned < SCAN_LIMIT;) {
    const wanted = limit - events.length + 1
    const batch = listChildren(store, { ...query, from, limit: wanted })
    for (const event of batch) {
      if (!reader.maySee(event)) {
        from = beyond(event, dir)
      } else if (events.length === limit) {
        return { events, next: from }
      } else {
        events.push(event)
        from = beyond(event, dir)
      }
    }
    if (batch.length < wanted) return { events, next: undefined }
    scanned += batch.length
  }
  return { events, next: from }
}

const beyond = (event: ClientEvent, dir: 'b' | 'f'): TimelineToken => (dir === 'b' ? before(event) : after(event))
