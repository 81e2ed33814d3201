import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { app as buildApp } from '#app'
import { type Clock, systemClock } from '#actors/kernel/clock.ts'
import { loadConfig } from '#config'
import { type Homeserver, openHomeserver } from '#homeserver'
import { deviceIdOf, type UserId } from '#schema/identifiers.ts'
import { noteAnswer } from './answered.ts'
import { refuseMisfit } from './openapi.ts'

/** The whole server in this process, on a database in memory: no socket, no disk but the signing key. */

export const SERVER_NAME = 'a.example'
/** Elysia takes hosts of fewer than four characters for part of the path. */
const BASE = `http://${SERVER_NAME}`
const folder = join(tmpdir(), `warren-house-${process.pid}`)
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const OPEN = { per_second: 1_000_000, burst_count: 1_000_000 }
/** Only tests about rate limits meet any. */
const OPEN_RATES = {
  rc_message: OPEN,
  rc_registration: OPEN,
  rc_login: { address: OPEN, account: OPEN, failed_attempts: OPEN },
  rc_joins: { local: OPEN, remote: OPEN },
  rc_joins_per_room: OPEN,
  rc_invites: { per_room: OPEN, per_user: OPEN, per_issuer: OPEN },
  rc_room_creation: OPEN,
  rc_user_directory: OPEN,
  rc_presence: { per_user: OPEN },
  rc_media_create: OPEN,
  rc_reports: OPEN,
  rc_delayed_event_mgmt: OPEN,
}

export type Answer = Readonly<{ status: number; body: Record<string, unknown> }>

/** Someone who calls the API. Paths such as `/v3/sync` lie under `/_matrix/client`; those that begin with `/_` are whole. */
export type Caller = Readonly<{
  userId: UserId
  deviceId: string
  token: string
  /** Status and JSON body. Throws what the log says when the server answers 500. */
  answer: (method: string, path: string, body?: unknown) => Promise<Answer>
}> & ((method: string, path: string, body?: unknown) => Promise<Response>)

export type NewUser = Readonly<{ displayname?: string; isAdmin?: boolean; isGuest?: boolean; deviceId?: string }>

export type House = Readonly<{
  server: Homeserver
  app: Readonly<{ handle: (request: Request) => Promise<Response> }>
  alice: Caller
  bob: Caller
  /** Makes an account `@name:a.example` and logs it in. */
  register: (name: string, options?: NewUser) => Promise<Caller>
  /** Another device of someone who is there already. */
  login: (userId: UserId, deviceId: string) => Promise<Caller>
  /** A caller without a token. */
  stranger: Caller
  /** What the server has logged as an error. */
  complaints: string[]
  close: () => Promise<void>
}>

/**
 * `overrides` are options of homeserver.yaml in Synapse's spelling; `clock` may be a `manualClock()`; `isNew` false: alice
 * and bob are in the database already.
 */
export async function house(
  overrides: Readonly<Record<string, unknown>> = {},
  { clock = systemClock, isNew = true }: { clock?: Clock; isNew?: boolean } = {},
): Promise<House> {
  mkdirSync(folder, { recursive: true })
  const config = loadConfig([], {
    server_name: SERVER_NAME,
    data_dir: folder,
    database: { name: 'sqlite3', args: { database: ':memory:' } },
    ...OPEN_RATES,
    ...overrides,
  })
  const complaints: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => void complaints.push(line) })
  const server = await openHomeserver(config, log, clock)
  const router = buildApp(server)
  const app = {
    async handle(request: Request) {
      const body = await request.clone().text()
      const response = await router.handle(request)
      await noteAnswer(request, body, response)
      return response
    },
  }
  const call = callerOf(app, complaints)

  const login: House['login'] = async (userId, deviceId) => {
    const { accessToken } = await server.device(userId, deviceIdOf(deviceId)).ask({
      kind: 'startSession',
      displayName: null,
      isRefreshable: false,
      lifetimes: { accessMs: null, refreshMs: null, sessionMs: null },
      ipAddress: null,
      userAgent: null,
    }, server.mintCause())
    return call(userId, deviceId, accessToken)
  }
  const register: House['register'] = async (name, { displayname, isAdmin = false, isGuest = false, deviceId = 'PHONE' } = {}) => {
    const userId: UserId = `@${name}:${SERVER_NAME}`
    await server.user(userId).ask(
      { kind: 'register', passwordHash: null, isAdmin, isGuest, displayname: displayname ?? null },
      server.mintCause(),
    )
    return login(userId, deviceId)
  }
  const enter = (name: string): Promise<Caller> => (isNew ? register(name) : login(`@${name}:${SERVER_NAME}`, 'PHONE'))
  const [alice, bob] = [await enter('alice'), await enter('bob')]
  return { server, app, alice, bob, register, login, stranger: call('@nobody:nowhere.example', '', ''), complaints, close: () => server.close() }
}

const callerOf = (app: House['app'], complaints: string[]) => (userId: UserId, deviceId: string, token: string): Caller => {
  const send = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const request = new Request(path.startsWith('/_') ? BASE + path : `${BASE}/_matrix/client${path}`, {
      method,
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      body: body === undefined ? null : JSON.stringify(body),
    })
    const response = await app.handle(request)
    if (response.status === 500) throw new Error(`${method} ${path} answered 500: ${complaints.at(-1) ?? 'nothing was logged'}`)
    await refuseMisfit(request, response)
    return response
  }
  const answer = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await send(method, path, body)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  return Object.assign(send, { userId, deviceId, token, answer })
}
