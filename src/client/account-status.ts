import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { isOurs } from '#http/room-addresses.ts'
import { getAccountStatus } from '#schema/client/account-status.ts'
import { isUserId, type UserId } from '#schema/identifiers.ts'
import { invalidParam } from '#schema/matrix-error.ts'
import { findUser } from '#store/users.ts'

/** Whether accounts exist and are in use (MSC3720). Users of other servers are among the `failures`. */
export const accountStatusPage = (server: Homeserver) =>
  page().post(
    '/_matrix/client/unstable/org.matrix.msc3720/account_status',
    signedIn(server, getAccountStatus, ({ body: { user_ids: names } }) => {
      const wrong = names.find((name) => !isUserId(name))
      if (wrong !== undefined) throw invalidParam(`${wrong} is not a user id`)
      const userIds = [...new Set(names.filter(isUserId))]
      const statuses = userIds
        .filter((userId) => isOurs(server, userId))
        .map((userId) => [userId, statusOf(server, userId)] as const)
      return {
        account_statuses: Object.fromEntries(statuses),
        failures: userIds.filter((userId) => !isOurs(server, userId)),
      }
    }),
  )

function statusOf({ store }: Homeserver, userId: UserId): object {
  const user = findUser(store, userId)
  return user ? { exists: true, deactivated: user.isDeactivated } : { exists: false }
}
