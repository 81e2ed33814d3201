import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { getMutualRooms, getMutualRoomsUnstable } from '#schema/client/mutual-rooms.ts'
import { isUserId, type UserId } from '#schema/identifiers.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import { listMutualRooms, type MutualRooms } from '#store/mutual-rooms.ts'

/** Rooms on one page. */
export const MUTUAL_ROOMS_PAGE = 100

/** spec: client-server-api#mutual-rooms */
export const mutualRoomsPage = (server: Homeserver) => {
  const read = (userId: UserId, other: string, token: string | undefined): MutualRooms => {
    if (!isUserId(other)) throw invalidParam(`${other} is not a user id`)
    if (other === userId) throw invalidParam('You share every room with yourself')
    return listMutualRooms(server.store, { one: userId, other, after: readToken(token), limit: MUTUAL_ROOMS_PAGE })
  }
  return page()
    .get(
      '/_matrix/client/v1/mutual_rooms',
      signedIn(server, getMutualRooms, ({ query, requester: { userId } }) =>
        print(read(userId, query.user_id, query.from), 'next_batch')),
    )
    .get(
      '/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms',
      signedIn(server, getMutualRoomsUnstable, ({ query, requester: { userId } }) =>
        print(read(userId, query.user_id, query.batch_token), 'next_batch_token')),
    )
}

const TOKEN = /^r(\d{1,15})$/

function readToken(text: string | undefined): number {
  if (text === undefined) return 0
  const [, room] = TOKEN.exec(text) ?? []
  if (room === undefined) throw invalidParam('This is not a token of this server')
  return Number(room)
}

const print = ({ rooms, count, next }: MutualRooms, token: 'next_batch' | 'next_batch_token'): object =>
  ({ joined: rooms, count, ...(next === null ? {} : { [token]: `r${next}` }) })
