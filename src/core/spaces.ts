import { isRoomId, isServerName, type RoomId, type ServerName } from '#schema/identifiers.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'

/** An `m.space.child` event of a space. */
export type SpaceChildEvent = Readonly<{ stateKey: string; originServerTs: number; content: JsonObject }>

export type SpaceChild = Readonly<{
  roomId: RoomId
  /** Servers to join through; never empty. */
  via: readonly ServerName[]
  /** Undefined if absent or not valid. */
  order?: string
  isSuggested: boolean
  originServerTs: number
}>

/** How long an `order` may be. */
export const SPACE_ORDER_LIMIT = 50

/**
 * The children of a space in the order in which they are shown. Events that name no room or have no valid
 * `via` are no children: that is how a child is removed. spec: client-server-api#mspacechild-relationship
 */
export const spaceChildren = (events: readonly SpaceChildEvent[]): SpaceChild[] =>
  events.flatMap((event) => spaceChildOf(event) ?? []).toSorted(compareSpaceChildren)

/** One child, or undefined if the event makes none. */
export function spaceChildOf({ stateKey, originServerTs, content }: SpaceChildEvent): SpaceChild | undefined {
  const via = viaOf(content)
  if (!isRoomId(stateKey) || via.length === 0) return undefined
  const order = isSpaceOrder(content.order) ? { order: content.order } : {}
  return { roomId: stateKey, via, ...order, isSuggested: content.suggested === true, originServerTs }
}

/**
 * The servers in `via` of `m.space.child` or `m.space.parent`; entries that are no server names are passed
 * over.
 */
export const viaOf = ({ via }: JsonObject): ServerName[] =>
  Array.isArray(via)
    ? via.filter((name): name is ServerName => typeof name === 'string' && isServerName(name))
    : []

/** spec: client-server-api#mspacechild (`order`) */
export const isSpaceOrder = (order: Json | undefined): order is string =>
  typeof order === 'string' && order.length <= SPACE_ORDER_LIMIT && /^[\x20-\x7e]+$/.test(order)

/**
 * By `order`, those without one last; then by the event's timestamp; then by room id.
 * spec: client-server-api#ordering-of-children-within-a-space
 */
export function compareSpaceChildren(one: SpaceChild, other: SpaceChild): number {
  if ((one.order === undefined) !== (other.order === undefined)) return one.order === undefined ? 1 : -1
  return (
    compareText(one.order ?? '', other.order ?? '') ||
    one.originServerTs - other.originServerTs ||
    compareText(one.roomId, other.roomId)
  )
}

// An order is ASCII and a room id nearly always is, so UTF-16 units order them as code points would.
const compareText = (one: string, other: string): number => (one < other ? -1 : Number(one > other))
