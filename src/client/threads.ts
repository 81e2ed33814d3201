import { parseTimelineToken, printTimelineToken, type TimelineToken } from '#core/sync/token.ts'
import type { Homeserver } from '#homeserver'
import { rawJson, signedIn, type SignedInCall } from '#http/endpoint.ts'
import { SCAN_LIMIT } from '#http/history.ts'
import { page } from '#http/page.ts'
import { readLimit } from '#http/pagination.ts'
import { type RoomReader, roomReader } from '#http/room-reader.ts'
import { getThreadRoots } from '#schema/client/threads.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import { redacted } from '#store/erasure.ts'
import { listThreads, type Thread } from '#store/threads.ts'

const LIMIT_DEFAULT = 20
const LIMIT = 100

export const threadsPage = (server: Homeserver) => {
  const list = signedIn(server, getThreadRoots, (call) => rawJson(readThreads(server, call)))
  return page()
    .get('/_matrix/client/v1/rooms/:roomId/threads', list)
    .get('/_matrix/client/unstable/org.matrix.msc3856/rooms/:roomId/threads', list)
}

const END: TimelineToken = { depth: Number.MAX_SAFE_INTEGER, num: Number.MAX_SAFE_INTEGER }

/** spec: client-server-api#get_matrixclientv1roomsroomidthreads */
function readThreads(server: Homeserver, { params: { roomId }, query, requester }: SignedInCall<typeof getThreadRoots>): string {
  const limit = readLimit(query.limit === undefined ? undefined : Number(query.limit), LIMIT_DEFAULT, LIMIT)
  if (limit === 0) throw invalidParam('limit must be greater than zero')
  const before = query.from ? parseTimelineToken(query.from) : END
  if (!before) throw invalidParam('from is not a token of this server')
  const reader = roomReader(server, roomId, requester)
  const { threads, next } = pageOf(server, reader, { before, limit, participant: query.include === 'participated' ? requester.userId : undefined })
  // Who ignores the one who began a thread still sees that it is there. Its text is not for them.
  const roots = threads.map(({ root }) => (reader.ignored().has(root.sender) ? redacted(server.store, roomId, root) : root))
  return `{"chunk":[${reader.printAll(roots)}]${next ? `,"next_batch":"${printTimelineToken(next)}"` : ''}}`
}

type Wanted = Readonly<{ before: TimelineToken; limit: number; participant: RoomReader['userId'] | undefined }>

function pageOf({ store }: Homeserver, reader: RoomReader, wanted: Wanted): { threads: Thread[]; next: TimelineToken | undefined } {
  const threads: Thread[] = []
  let { before } = wanted
  for (let scanned = 0; scanned < SCAN_LIMIT;) {
    const limit = wanted.limit - threads.length + 1
    const batch = listThreads(store, { ...wanted, roomId: reader.roomId, before, limit })
    for (const thread of batch) {
      const isShown = reader.maySee({ ...thread.root, sender: reader.userId })
      if (isShown && threads.length === wanted.limit) return { threads, next: before }
      if (isShown) threads.push(thread)
      before = thread.latest
    }
    if (batch.length < limit) return { threads, next: undefined }
    scanned += batch.length
  }
  return { threads, next: before }
}
