import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { readLimit } from '#http/pagination.ts'
import { rateLimiter } from '#http/rate-limit.ts'
import { searchUserDirectory } from '#schema/client/user-directory.ts'
import type { UserId } from '#schema/identifiers.ts'
import { type FoundUser, searchUsers } from '#store/user-directory.ts'

const LIMIT_DEFAULT = 10
const LIMIT = 50

export const userDirectoryPage = (server: Homeserver) => {
  const limit = rateLimiter(server.config.rc.userDirectory, server.clock.now)
  return page().post(
    '/_matrix/client/v3/user_directory/search',
    signedIn(server, searchUserDirectory, ({ body, requester: { userId } }) => {
      limit.take(userId)
      return search(server, userId, body.search_term, readLimit(body.limit, LIMIT_DEFAULT, LIMIT))
    }),
  )
}

/** One more than is shown tells whether there are more. */
function search({ store, config, serverName }: Homeserver, searcher: UserId, term: string, limit: number): object {
  const { enabled, searchAllUsers, preferLocalUsers, excludeRemoteUsers, showLockedUsers } = config.userDirectory
  if (!enabled) return { results: [], limited: false }
  const found = searchUsers(store, {
    term,
    searcher,
    serverName,
    limit: limit + 1,
    searchesAll: searchAllUsers,
    prefersLocal: preferLocalUsers,
    excludesRemote: excludeRemoteUsers,
    showsLocked: showLockedUsers,
  })
  return { results: found.slice(0, limit).map(printUser), limited: found.length > limit }
}

const printUser = ({ userId, displayName, avatarUrl }: FoundUser): object => ({
  user_id: userId,
  ...(displayName === null ? {} : { display_name: displayName }),
  ...(avatarUrl === null ? {} : { avatar_url: avatarUrl }),
})
