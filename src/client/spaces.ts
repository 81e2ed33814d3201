import type { JsonObject, RoomEvent } from '#schema/pdu.ts'
import { spaceChildOf, spaceChildren } from '#core/spaces.ts'
import type { Homeserver } from '#homeserver'
import { signedIn, type SignedInCall } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { readLimit } from '#http/pagination.ts'
import { printSummary } from '#http/room-summaries.ts'
import { getSpaceHierarchy } from '#schema/client/spaces.ts'
import { readBoolean } from '#schema/client/query.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { forbidden, invalidParam } from '#schema/matrix-error.ts'
import { findRoomSummary, maySeeSummary, type RoomSummary } from '#store/room-summary.ts'
import { listStateOfType } from '#store/room-state.ts'
import type { Store } from '#store/store.ts'

/** Rooms on one page, for those who name no number and at most. */
const LIMIT_DEFAULT = 50
const LIMIT = 500
/** How deep a space is followed, whatever is asked for. */
const DEPTH_LIMIT = 100
/** Rooms of one tree that are looked at, those included that the reader may not see. */
const VISITED_LIMIT = 5_000

export const spacesPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/v1/rooms/:roomId/hierarchy',
    signedIn(server, getSpaceHierarchy, (call) => readHierarchy(server, call)),
  )

type Terms = Readonly<{ roomId: RoomId; maxDepth: number; isSuggestedOnly: boolean }>

/** spec: client-server-api#get_matrixclientv1roomsroomidhierarchy */
function readHierarchy({ store }: Homeserver, { params: { roomId }, query, requester }: SignedInCall<typeof getSpaceHierarchy>): object {
  const limit = readLimit(query.limit === undefined ? undefined : Number(query.limit), LIMIT_DEFAULT, LIMIT)
  if (limit === 0) throw invalidParam('limit must be greater than zero')
  const maxDepth = Number(query.max_depth ?? DEPTH_LIMIT)
  if (maxDepth < 0) throw invalidParam('max_depth must not be negative')
  const terms = { roomId, maxDepth: Math.min(maxDepth, DEPTH_LIMIT), isSuggestedOnly: readBoolean(query.suggested_only) }
  const skip = query.from ? readPlace(query.from, terms) : 0
  const root = findRoomSummary(store, roomId)
  if (!root || !maySeeSummary(store, root, requester.userId)) throw forbidden('You are not allowed to view this room')

  const rooms: object[] = []
  let seen = 0
  for (const visit of walk(store, requester.userId, root, terms)) {
    if (seen++ < skip) continue
    if (rooms.length === limit) return { rooms, next_batch: printPlace(skip + limit, terms) }
    rooms.push({ ...printSummary(visit.room), children_state: visit.children.map(printChild) })
  }
  return { rooms }
}

// Walking is cheap, so a page walks from the root again, and there is nothing to keep between two requests.
const printPlace = (seen: number, { roomId, maxDepth, isSuggestedOnly }: Terms): string =>
  Buffer.from(JSON.stringify([seen, roomId, maxDepth, isSuggestedOnly])).toString('base64url')

function readPlace(text: string, terms: Terms): number {
  const [seen] = partsOf(text)
  if (!Number.isSafeInteger(seen)) throw invalidParam('from is not a token of this server')
  if (printPlace(seen as number, terms) !== text) throw invalidParam('suggested_only and max_depth cannot change on paginated requests')
  return seen as number
}

function partsOf(text: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

type Visit = Readonly<{ room: RoomSummary; children: readonly RoomEvent[] }>

/**
 * The rooms of a tree that the reader may see, each once, a space right before what is in it. Of a room that they may
 * not see, nothing is told and nothing followed (G-86).
 */
function* walk(store: Store, userId: UserId, root: RoomSummary, { maxDepth, isSuggestedOnly }: Terms): Generator<Visit> {
  const visited = new Set<RoomId>([root.roomId])
  const stack: { roomId: RoomId; depth: number }[] = [{ roomId: root.roomId, depth: 0 }]
  for (let next = stack.pop(); next; next = stack.pop()) {
    const room = findRoomSummary(store, next.roomId)
    if (!room || !maySeeSummary(store, room, userId)) continue
    const children = room.roomType === 'm.space' ? childrenOf(store, next.roomId, isSuggestedOnly) : []
    yield { room, children }
    if (next.depth >= maxDepth) continue
    const depth = next.depth + 1
    // The stack gives back what was put in last, so the first child is put in at the end.
    for (const { roomId } of spaceChildren(children.map(asChild)).toReversed()) {
      if (visited.has(roomId) || visited.size >= VISITED_LIMIT) continue
      visited.add(roomId)
      stack.push({ roomId, depth })
    }
  }
}

const childrenOf = (store: Store, roomId: RoomId, isSuggestedOnly: boolean): RoomEvent[] =>
  listStateOfType(store, roomId, 'm.space.child').filter((event) => {
    const child = spaceChildOf(asChild(event))
    return child !== undefined && (child.isSuggested || !isSuggestedOnly)
  })

const asChild = ({ pdu }: RoomEvent) => ({ stateKey: pdu.state_key ?? '', originServerTs: pdu.origin_server_ts, content: pdu.content })

const printChild = ({ pdu }: RoomEvent): JsonObject => ({
  type: pdu.type,
  state_key: pdu.state_key ?? '',
  content: pdu.content,
  sender: pdu.sender,
  origin_server_ts: pdu.origin_server_ts,
})
