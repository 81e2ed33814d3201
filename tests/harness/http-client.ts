/** A client of the Client-Server API for tests that speak to a running server; every call is its own connection. */

export type Json = Readonly<Record<string, unknown>>

export type Session = {
  readonly url: string
  readonly userId: string
  readonly deviceId: string
  readonly accessToken: string
}

export type ClientEvent = {
  readonly event_id: string
  readonly type: string
  readonly sender: string
  readonly content: Json
  readonly state_key?: string
  readonly unsigned?: Json
}

export type JoinedRoom = {
  readonly timeline?: {
    readonly events: readonly ClientEvent[]
    readonly limited?: boolean
    readonly prev_batch?: string
  }
  readonly state?: { readonly events: readonly ClientEvent[] }
  readonly ephemeral?: { readonly events: readonly Json[] }
}

export type SyncAnswer = {
  readonly next_batch: string
  readonly rooms?: {
    readonly join?: Readonly<Record<string, JoinedRoom>>
    readonly invite?: Json
    readonly leave?: Json
  }
}

export type MessagesAnswer = { readonly chunk: readonly ClientEvent[]; readonly start: string; readonly end?: string }

export type Answer = { readonly status: number; readonly body: Json }

/** An answer that is not a success, with the server's own code. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer'
  constructor(readonly status: number, readonly errcode: string, request: string) {
    super(`${request} answered ${status} ${errcode}`)
  }
}

export type CallOptions = { readonly token?: string; readonly body?: unknown; readonly signal?: AbortSignal }

/** Sends one request and gives back status and JSON body, whatever the status. */
export async function callServer(url: string, method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    keepalive: false,
    headers: options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` },
    body: options.body === undefined ? null : JSON.stringify(options.body),
    signal: options.signal ?? null,
  })
  return { status: response.status, body: await readBody(response) }
}

async function readBody(response: Response): Promise<Json> {
  const body: unknown = await response.json()
  return typeof body === 'object' && body !== null ? { ...body } : { body }
}

/**
 * Sends one request of a signed-in user; throws `UnexpectedAnswer` unless it succeeds. The shape is the caller's claim.
 */
export async function call<Shape = Json>(
  session: Session,
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Shape> {
  const answer = await callServer(session.url, method, `/_matrix/client/v3${path}`, {
    token: session.accessToken,
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  })
  if (answer.status >= 300) throw new UnexpectedAnswer(answer.status, String(answer.body['errcode']), `${method} ${path}`)
  return answer.body as Shape
}

/** Registers an account (`m.login.dummy`) and signs it in. */
export async function register(url: string, username: string, password: string): Promise<Session> {
  const body = { username, password, auth: { type: 'm.login.dummy' } }
  return signedIn(url, await callServer(url, 'POST', '/_matrix/client/v3/register', { body }), 'register')
}

/** Signs an account in on a device of its own. */
export async function login(url: string, username: string, password: string, deviceId?: string): Promise<Session> {
  const identifier = { type: 'm.id.user', user: username }
  const device = deviceId === undefined ? {} : { device_id: deviceId }
  const body = { type: 'm.login.password', identifier, password, ...device }
  return signedIn(url, await callServer(url, 'POST', '/_matrix/client/v3/login', { body }), 'login')
}

function signedIn(url: string, answer: Answer, request: string): Session {
  if (answer.status !== 200) throw new UnexpectedAnswer(answer.status, String(answer.body['errcode']), request)
  const { user_id: userId, device_id: deviceId, access_token: accessToken } = answer.body
  return { url, userId: String(userId), deviceId: String(deviceId), accessToken: String(accessToken) }
}

export async function createRoom(session: Session, body: Json = { preset: 'private_chat' }): Promise<string> {
  return (await call<{ room_id: string }>(session, 'POST', '/createRoom', body)).room_id
}

/** Invites one of two users and lets the other join. */
export async function bringIn(owner: Session, roomId: string, guest: Session): Promise<void> {
  await call(owner, 'POST', `/rooms/${encodeURIComponent(roomId)}/invite`, { user_id: guest.userId })
  await call(guest, 'POST', `/rooms/${encodeURIComponent(roomId)}/join`, {})
}

/** Sends a text and resolves with the id of its event. */
export async function sendText(session: Session, roomId: string, transactionId: string, text: string): Promise<string> {
  const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${encodeURIComponent(transactionId)}`
  return (await call<{ event_id: string }>(session, 'PUT', path, { msgtype: 'm.text', body: text })).event_id
}

export type SyncOptions = {
  readonly since?: string
  readonly timeoutMs?: number
  readonly timelineLimit?: number
  readonly signal?: AbortSignal
}

/** One `/sync`; answers at once unless `timeoutMs` says to wait. */
export function sync(session: Session, options: SyncOptions = {}): Promise<SyncAnswer> {
  const query = new URLSearchParams({ timeout: String(options.timeoutMs ?? 0) })
  if (options.since !== undefined) query.set('since', options.since)
  const limit = options.timelineLimit
  if (limit !== undefined) query.set('filter', JSON.stringify({ room: { timeline: { limit } } }))
  return call<SyncAnswer>(session, 'GET', `/sync?${query}`, undefined, options.signal)
}

/** One page of a room's history, newest first, `from` a token and down to `to`. */
export function messages(session: Session, roomId: string, from?: string, to?: string): Promise<MessagesAnswer> {
  const query = new URLSearchParams({ dir: 'b', limit: '100' })
  if (from !== undefined) query.set('from', from)
  if (to !== undefined) query.set('to', to)
  return call<MessagesAnswer>(session, 'GET', `/rooms/${encodeURIComponent(roomId)}/messages?${query}`)
}

/** One page of a room's history, oldest first, from its beginning or a token. */
export function messagesForward(session: Session, roomId: string, from?: string): Promise<MessagesAnswer> {
  const query = new URLSearchParams({ dir: 'f', limit: '100' })
  if (from !== undefined) query.set('from', from)
  return call<MessagesAnswer>(session, 'GET', `/rooms/${encodeURIComponent(roomId)}/messages?${query}`)
}
