import type { Homeserver } from '#homeserver'
import { rawJson, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { readLimit } from '#http/pagination.ts'
import { getNotifications } from '#schema/client/notifications.ts'
import { readInteger } from '#schema/client/query.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import { printFor } from '#store/client-events.ts'
import { deviceKeyOf } from '#store/events.ts'
import { listNotifications, type Notification } from '#store/notifications.ts'

/** Notifications on one page. */
export const NOTIFICATIONS_DEFAULT = 20
export const NOTIFICATIONS_MOST = 100

export const notificationsPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/v3/notifications',
    signedIn(server, getNotifications, ({ query, requester: { userId, deviceId } }) => {
      const limit = readLimit(readInteger(query.limit, NOTIFICATIONS_DEFAULT), NOTIFICATIONS_DEFAULT, NOTIFICATIONS_MOST)
      const page = { userId, before: readToken(query.from), limit, onlyHighlights: query.only === 'highlight' }
      const { notifications, next } = listNotifications(server.store, page)
      const device = deviceKeyOf(userId, deviceId ?? '')
      const texts = notifications.map((notification) => print(server, notification, device))
      const token = next === undefined ? '' : `,"next_token":"${next}"`
      return rawJson(`{"notifications":[${texts.join(',')}]${token}}`)
    }),
  )

function readToken(from: string | undefined): number {
  if (from === undefined || from === '') return Infinity
  if (!/^\d{1,15}$/.test(from)) throw invalidParam('from is not a token of this server')
  return Number(from)
}

/** Pushers have tags, rules have none, so there is none to tell. */
function print({ store, clock }: Homeserver, { event, roomId, actions, isRead }: Notification, device: string): string {
  const text = printFor(store, event, { now: clock.now(), device })
  const rest = `"profile_tag":"","read":${isRead},"room_id":${JSON.stringify(roomId)},"ts":${event.ts}`
  return `{"actions":${JSON.stringify(actions)},"event":${text},${rest}}`
}
