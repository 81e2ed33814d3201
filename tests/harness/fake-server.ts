import type { AdminDoor, UserRow } from '#admin/door.ts'
import type { OpenServer } from '#process/serve.ts'
import type { ServerName, UserId } from '#schema/identifiers.ts'
import { notFound, userInUse } from '#schema/matrix-error.ts'

type Known = UserRow & { password: string | null }

/** A door to a server that is nothing but a list of users and one room. */
export function fakeDoor(serverName: string = 'a.example'): AdminDoor & { readonly users: Map<UserId, Known> } {
  const users = new Map<UserId, Known>()
  const user = (userId: UserId): Known => {
    const known = users.get(userId)
    if (!known) throw notFound(`There is no user ${userId}`)
    return known
  }
  const change = async (userId: UserId, what: Partial<Known>): Promise<void> => void users.set(userId, { ...user(userId), ...what })
  const room = {
    roomId: '!den:a.example',
    name: 'The den',
    canonicalAlias: null,
    joinedMembers: 3,
    joinedLocalMembers: 1,
    version: '12',
  } as const
  return {
    users,
    async createUser({ localpart, password, admin, displayname }) {
      const userId: UserId = `@${localpart}:${serverName as ServerName}`
      if (users.has(userId)) throw userInUse(`${userId} exists already`)
      users.set(userId, { userId, displayname, isAdmin: admin, isDeactivated: false, createdTs: 0, password })
      return { userId }
    },
    startSession: async ({ deviceId }) => ({ accessToken: 'token', deviceId: deviceId ?? 'DEVICE' }),
    async listUsers({ from, limit, search, deactivated }) {
      const all = [...users.values()].filter((each) => (deactivated || !each.isDeactivated) && each.userId.includes(search ?? ''))
      return { users: all.slice(from, from + limit).map(({ password: _, ...row }) => row), total: all.length }
    },
    async showUser(userId) {
      const { password: _, ...row } = user(userId)
      return { ...row, avatarUrl: null, joinedRooms: 1, devices: [{ deviceId: 'DEVICE', displayName: 'laptop', lastSeenTs: 0 }] }
    },
    resetPassword: ({ userId, password }) => change(userId, { password }),
    deactivateUser: ({ userId }) => change(userId, { isDeactivated: true }),
    setAdmin: ({ userId, admin }) => change(userId, { isAdmin: admin }),
    listRooms: async () => ({ rooms: [room], total: 1 }),
    async showRoom(roomId) {
      if (roomId !== room.roomId) throw notFound(`There is no room ${roomId}`)
      return {
        ...room, topic: null, creator: '@alice:a.example', joinRule: 'invite', historyVisibility: 'shared', isEncrypted: true,
        isPublic: false, isFederated: true, forwardExtremities: 1, stateEvents: 9,
      }
    },
    actors: async () => [{ kind: 'room', id: room.roomId, mailboxDepth: 2, turns: 40, failures: 0, memoryBytes: 2048 }],
    stats: async () => ({ users: users.size, monthlyUsers: null, rooms: 1, position: 7, databaseBytes: 4096, isDiskFull: false, problems: [], brokenInvariants: {} }),
  }
}

/** Answers every request with what it knows of it; `/slow` takes a while. */
export const openFakeServer: OpenServer = async (config) => ({
  door: fakeDoor(config.serverName),
  async handle(request) {
    const { pathname } = new URL(request.url)
    if (pathname.endsWith('/slow')) await Bun.sleep(300)
    return Response.json({ path: pathname })
  },
  wake() {},
  close: async () => {},
})
