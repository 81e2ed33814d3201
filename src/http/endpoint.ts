import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { parseStrictJson } from '#core/strict-json.ts'
import type { Homeserver } from '#homeserver'
import { MatrixError, missingToken, notJson, tooLarge, unknownToken } from '#schema/matrix-error.ts'
import type { DeviceId, UserId } from '#schema/identifiers.ts'
import type { Session } from '#store/access-tokens.ts'
import { checkSchema } from './check-schema.ts'
import { refuseWhileClosed } from './closing.ts'
import { connectionOf } from './connection.ts'
import { JSON_HEADERS } from './cors.ts'
import { errorResponse } from './errors.ts'
import { noteUse } from './sessions.ts'

/** The largest JSON body of a client request, in bytes; media have their own limit. */
export const MAX_BODY_BYTES = 200 * 65_536

/** What an endpoint takes and gives; the exported schema of a page in `schema/client`. */
export type EndpointSchema = Readonly<{
  params?: TSchema
  query?: TObject
  body?: TSchema
  response?: TSchema
  /** A locked account may still call this. spec: client-server-api#account-locking */
  allowLocked?: true
  /** A session whose access token has run out may still call this. */
  allowExpired?: true
  /** A guest may call this. spec: client-server-api#guest-access */
  allowGuest?: true
}>

type Part<S extends EndpointSchema, K extends 'params' | 'query' | 'body'> = S[K] extends TSchema ? Static<S[K]> : unknown

/** Who is asking. `deviceId` is null only for application services that name no device. */
export type Requester = Readonly<{ userId: UserId; deviceId: DeviceId | null; isGuest: boolean; isAdmin: boolean; isSuspended: boolean }>

export type Call<S extends EndpointSchema> = Readonly<{
  params: Part<S, 'params'>
  query: Part<S, 'query'>
  body: Part<S, 'body'>
  request: Request
  /** Id of this request, minted here: it names the whole trail of facts that follows from it. */
  cause: string
  clientAddress: string
}>
export type SignedInCall<S extends EndpointSchema> = Call<S> & Readonly<{ requester: Requester; token: string }>
export type MaybeSignedInCall<S extends EndpointSchema> = Call<S> & Readonly<{ requester: Requester | null }>

type Matched = { request: Request; params: Record<string, string> }
type Endpoint = (matched: Matched) => Promise<Response>

/** An endpoint for everyone. */
export const open = <const S extends EndpointSchema>(server: Homeserver, schema: S, handle: (call: Call<S>) => unknown): Endpoint =>
  ({ request, params }) => answer(server, async (cause) => handle(await readCall(schema, { request, params, cause })))

/** An endpoint that needs an access token. spec: client-server-api#using-access-tokens */
export const signedIn = <const S extends EndpointSchema>(
  server: Homeserver,
  schema: S,
  handle: (call: SignedInCall<S>) => unknown,
): Endpoint =>
  ({ request, params }) =>
    answer(server, async (cause) => {
      const token = tokenOf(request)
      if (!token) throw missingToken()
      const requester = requesterOf(server, token, schema, request)
      const call = await readCall(schema, { request, params, cause })
      return handle({ ...call, requester, token })
    })

/** An endpoint that answers strangers too, but may answer its users more. */
export const maybeSignedIn = <const S extends EndpointSchema>(
  server: Homeserver,
  schema: S,
  handle: (call: MaybeSignedInCall<S>) => unknown,
): Endpoint =>
  ({ request, params }) =>
    answer(server, async (cause) => {
      const token = tokenOf(request)
      const requester = token ? requesterOf(server, token, schema, request) : null
      return handle({ ...(await readCall(schema, { request, params, cause })), requester })
    })

/** An answer with another status than 200. */
export const status = (code: number, value: unknown): Response =>
  new Response(JSON.stringify(value), { status: code, headers: JSON_HEADERS })

/** An answer that was put together as JSON text already. */
export const rawJson = (text: string): Response => new Response(text, { headers: JSON_HEADERS })

async function answer(server: Homeserver, work: (cause: string) => Promise<unknown>): Promise<Response> {
  const cause = server.mintCause()
  const response = await answerOf(server, cause, work)
  response.headers.set('x-request-id', cause)
  return response
}

async function answerOf(server: Homeserver, cause: string, work: (cause: string) => Promise<unknown>): Promise<Response> {
  try {
    const value = await work(cause)
    return value instanceof Response ? value : new Response(JSON.stringify(value), { headers: JSON_HEADERS })
  } catch (error) {
    return errorResponse(error, (bug) => server.log.error({ cause, err: bug }, 'a request failed'))
  }
}

async function readCall<S extends EndpointSchema>(schema: S, { request, params, cause }: Matched & { cause: string }): Promise<Call<S>> {
  if (schema.params) checkSchema(schema.params, params, 'path')
  const query = readQuery(request.url, schema.query)
  if (schema.query) checkSchema(schema.query, query, 'query')
  const body = schema.body ? await readBody(request, schema.body) : undefined
  return {
    params,
    query,
    body,
    request,
    cause,
    clientAddress: connectionOf(request).address,
  } as Call<S>
}

/** Repeatable parameters (arrays in the schema) come as lists; of any other the first counts. */
function readQuery(url: string, schema: TObject | undefined): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {}
  const at = url.indexOf('?')
  if (at < 0 || !schema) return query
  const search = new URLSearchParams(url.slice(at + 1))
  for (const [name, value] of Object.entries(schema.properties)) {
    if (!search.has(name)) continue
    query[name] = value.type === 'array' ? search.getAll(name) : (search.get(name) ?? '')
  }
  return query
}

async function readBody(request: Request, schema: TSchema): Promise<unknown> {
  const declared = Number(request.headers.get('content-length') ?? 0)
  if (declared > MAX_BODY_BYTES) throw tooLarge(`The body may hold at most ${MAX_BODY_BYTES} bytes`)
  const bytes = await request.bytes()
  if (bytes.byteLength > MAX_BODY_BYTES) throw tooLarge(`The body may hold at most ${MAX_BODY_BYTES} bytes`)
  const body = bytes.byteLength === 0 ? emptyBody(request) : parseStrictJson(bytes)
  checkSchema(schema, body, 'body')
  return body
}

/** Many clients POST without a body where every key is optional. */
function emptyBody(request: Request): object {
  if (request.method === 'POST' || request.method === 'DELETE') return {}
  throw notJson('The body is empty; send a JSON object')
}

const TOKEN_PARAMETER = /[?&]access_token=([^&]*)/

/** The header, or the query parameter that old clients still use. */
function tokenOf(request: Request): string | undefined {
  const header = request.headers.get('authorization')
  if (header?.startsWith('Bearer ')) return header.slice('Bearer '.length).trim()
  return new URLSearchParams(TOKEN_PARAMETER.exec(request.url)?.[0]).get('access_token') || undefined
}

function requesterOf(server: Homeserver, token: string, schema: EndpointSchema, request: Request): Requester {
  const session = server.session(token)
  if (!session) throw unknownToken('Unknown access token: log in again', { soft_logout: false })
  checkSession(session, schema, server.clock.now())
  if (!schema.allowLocked) refuseWhileClosed(server, session)
  noteUse(server, session, token, request)
  const { userId, deviceId, isGuest, isAdmin, isSuspended } = session
  return { userId, deviceId, isGuest, isAdmin, isSuspended }
}

function checkSession(session: Session, schema: EndpointSchema, now: number): void {
  const isExpired = session.expiresTs !== null && session.expiresTs <= now
  if (isExpired && !schema.allowExpired) throw unknownToken('This access token has expired: refresh it', { soft_logout: true })
  if (session.isLocked && !schema.allowLocked) throw new MatrixError(401, 'M_USER_LOCKED', 'This account is locked', { soft_logout: true })
  if (session.isGuest && !schema.allowGuest) throw new MatrixError(403, 'M_GUEST_ACCESS_FORBIDDEN', 'Guests may not do this; register an account')
}
