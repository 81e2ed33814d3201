import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'

import { isRoomId, isUserId, serverNameOf, type RoomId, type ServerName, type UserId } from '#schema/identifiers.ts'
import { invalidParam, notFound } from '#schema/matrix-error.ts'

import { answer, bodyOf, type Bug } from './answer.ts'
import type { AdminDoor, Page } from './door.ts'

/** What the control socket controls. */
export type Controlled = Readonly<{
  serverName: ServerName
  door: AdminDoor
  bug: Bug
  /** What `status` says of the process; null when there is none (a stopped server, worked on in process). */
  running: Running | null
}>

export type Running = Readonly<{
  about(): RunningStatus
  /** Begins to drain; the process ends some time after. */
  stop(): void
  /** Certificates and the log file are opened again. */
  reload(): Promise<void>
}>

export type RunningStatus = Readonly<{
  version: string
  pid: number
  startedTs: number
  addresses: readonly string[]
  dataDir: string
  sources: readonly string[]
  memoryBytes: number
  /** Where the first account is made; null once there is one. */
  setupLink: string | null
}>

const NewUserBody = Type.Object({
  localpart: Type.String({ minLength: 1 }),
  password: Type.Optional(Type.Union([Type.String({ minLength: 1 }), Type.Null()])),
  admin: Type.Optional(Type.Boolean()),
  displayname: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  user_type: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})
const PasswordBody = Type.Object({ password: Type.String({ minLength: 1 }), logout_devices: Type.Optional(Type.Boolean()) })
const EraseBody = Type.Object({ erase: Type.Optional(Type.Boolean()) })
const AdminBody = Type.Object({ admin: Type.Boolean() })

/** The most rows of a page. */
const PAGE_LIMIT = 1000
const DEFAULT_PAGE = 100

/** The commands of the control socket; who can open the socket may do all of this. */
export const control = ({ serverName, door, bug, running }: Controlled) =>
  new Elysia({ name: 'admin/control', normalize: false })
    .get('/status', () => answer(async () => {
      const stats = await door.stats()
      const about = running?.about() ?? null
      return { serverName, stats, running: about && stats.users > 0 ? { ...about, setupLink: null } : about }
    }, bug))
    .post('/stop', () => answer(async () => expectRunning(running).stop(), bug))
    .post('/reload', () => answer(() => expectRunning(running).reload(), bug))
    .get('/actors', () => answer(async () => ({ actors: await door.actors() }), bug))
    .get('/users', ({ request }) => answer(() => {
      const { searchParams } = new URL(request.url)
      return door.listUsers({ ...pageOf(searchParams), deactivated: searchParams.get('deactivated') === 'true' })
    }, bug))
    .post('/users', ({ request }) => answer(async () => {
      const { localpart, password, admin, displayname, user_type } = await bodyOf(request, NewUserBody)
      return door.createUser({
        localpart: localpartOf(localpart, serverName),
        password: password ?? null,
        admin: admin ?? false,
        displayname: displayname ?? null,
        userType: user_type ?? null,
      })
    }, bug), { parse: 'none' })
    .get('/users/:user', ({ params }) => answer(async () => door.showUser(userIdOf(params.user, serverName)), bug))
    .post('/users/:user/password', ({ params, request }) => answer(async () => {
      const { password, logout_devices } = await bodyOf(request, PasswordBody)
      return door.resetPassword({ userId: userIdOf(params.user, serverName), password, logoutDevices: logout_devices ?? true })
    }, bug), { parse: 'none' })
    .post('/users/:user/deactivate', ({ params, request }) => answer(async () => {
      const { erase } = await bodyOf(request, EraseBody)
      return door.deactivateUser({ userId: userIdOf(params.user, serverName), erase: erase ?? false })
    }, bug), { parse: 'none' })
    .post('/users/:user/admin', ({ params, request }) => answer(async () => {
      const { admin } = await bodyOf(request, AdminBody)
      return door.setAdmin({ userId: userIdOf(params.user, serverName), admin })
    }, bug), { parse: 'none' })
    .get('/rooms', ({ request }) => answer(() => door.listRooms(pageOf(new URL(request.url).searchParams)), bug))
    .get('/rooms/:room', ({ params }) => answer(async () => door.showRoom(roomIdOf(params.room)), bug))
    .all('/*', ({ request }) => answer(async () => {
      throw notFound(`The control socket knows no ${request.method} ${new URL(request.url).pathname}`)
    }, bug))

function expectRunning(running: Running | null): Running {
  if (running) return running
  throw invalidParam('The server does not run')
}

function pageOf(search: URLSearchParams): Page {
  const limit = Number(search.get('limit') ?? DEFAULT_PAGE)
  const from = Number(search.get('from') ?? 0)
  if (!Number.isSafeInteger(limit) || limit < 1) throw invalidParam('limit must be a whole number from 1')
  if (!Number.isSafeInteger(from) || from < 0) throw invalidParam('from must be a whole number from 0')
  return { from, limit: Math.min(limit, PAGE_LIMIT), search: search.get('search') }
}

/** `alice`, `@alice` and `@alice:a.example` all name alice of this server. */
function userIdOf(name: string, serverName: ServerName): UserId {
  const localpart = name.startsWith('@') ? name.slice(1) : name
  const full = localpart.includes(':') ? `@${localpart}` : `@${localpart}:${serverName}`
  if (!isUserId(full)) throw invalidParam(`${name} is no user; write alice or @alice:${serverName}`)
  if (serverNameOf(full) !== serverName) throw invalidParam(`${full} is a user of another server; this one is ${serverName}`)
  return full
}

const localpartOf = (name: string, serverName: ServerName): string =>
  name.startsWith('@') ? userIdOf(name, serverName).slice(1).replace(/:.*$/, '') : name

function roomIdOf(room: string): RoomId {
  if (isRoomId(room)) return room
  throw invalidParam(`${room} is no room id; those begin with ! (put it in single quotes)`)
}
