import { canonicalJson } from '#core/canonical-json.ts'
import { sha256Base64 } from '#core/digest.ts'
import { isJsonObject, ownValue } from '#core/event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import type { DeviceId, UserId } from '#schema/identifiers.ts'
import { forbidden, MatrixError, missingParam, unrecognized } from '#schema/matrix-error.ts'
import type { Requester } from './endpoint.ts'
import { identifiedUser, mayProveByPassword, provePassword } from './passwords.ts'
import { perServer } from './per-server.ts'

// Sessions live in this process's memory alone: they are short, a restart only asks the user once more, and what would
// be written are half-finished sign-ups of strangers. Claims on registration tokens end with them (actors/registration).

/** Sessions at a time; of more, the oldest is forgotten, and its client is asked anew. */
export const UIA_SESSION_LIMIT = 10_000
export const UIA_SESSION_MS = 60 * 60_000
/** What a client says in a sign-up is kept up to this size. */
const SAID_LIMIT_BYTES = 4_096
/** Devices whose last proof is remembered for `ui_auth.session_timeout`. */
const PROOF_LIMIT = 10_000

type UiaSession = {
  readonly id: string
  /** The request that it was begun for: method, path and who asks. Stages do not count for another one. */
  readonly operation: string
  /** SHA-256 of the rest of the body, where it has to stay the same. */
  digest: string | undefined
  readonly completed: string[]
  readonly until: number
  /** The first body that said anything, where the later ones may leave it out. */
  said: JsonObject | undefined
  /** What was asked for last, for the pages on which a stage is done without the client. Holds no body of a request. */
  terms: UiaTerms
  outcome: { userId: UserId; request: string } | undefined
}

type Sessions = Readonly<{ byId: Map<string, UiaSession>; proofs: Map<string, number> }>
const sessionsOf = perServer((): Sessions => ({ byId: new Map(), proofs: new Map() }))

/** What is asked for. Stages of a flow are done in order. spec: client-server-api#user-interactive-authentication-api */
export type UiaTerms = Readonly<{
  flows: readonly (readonly string[])[]
  params?: JsonObject
  operation: string
  /** Whose proof it is, where that is known. */
  userId?: UserId
  /** The body without `auth` must be the same in every request of the session. */
  bindsBody: boolean
  /**
   * Tries a stage with what the client sent for it. A MatrixError that is returned asks the client to try again; one
   * that is thrown ends the request.
   */
  attempt: (stage: string, auth: JsonObject, session: string) => Promise<MatrixError | undefined>
}>

export type Proven = Readonly<{
  session: string
  /** What the session has proven counts once. Only the same request again will find the user that it has made. */
  close: (made?: UserId) => void
}>

/** The 401 that asks for (further) stages; an `errcode` is in it only where a stage has failed. */
export class UiaChallenge extends MatrixError {
  constructor(private readonly body: JsonObject, failure: MatrixError | undefined) {
    super(401, failure?.errcode ?? 'M_UNAUTHORIZED', failure?.message ?? 'Further authentication is needed', failure?.extra)
  }

  override toJSON(): Record<string, unknown> {
    return this.body
  }
}

/** Throws `UiaChallenge` until one of the flows is complete. A session that is unknown by now is begun again. */
export async function proveStages(server: Homeserver, body: object, terms: UiaTerms): Promise<Proven> {
  const { auth: said, ...rest } = body as JsonObject
  const auth = isJsonObject(said) ? said : {}
  const session = openSession(server, auth.session, terms)
  if (terms.bindsBody) bindBody(session, rest)
  else session.said ??= worthKeeping(rest)
  const failure = typeof auth.type === 'string' ? await tryStage(session, auth.type, auth, terms) : undefined
  const isComplete = terms.flows.some((flow) => flow.every((stage) => session.completed.includes(stage)))
  if (failure || !isComplete || said === undefined) throw challenge(session, terms, failure)
  return {
    session: session.id,
    close(made) {
      if (made) session.outcome = { userId: made, request: fingerprintOf(rest) }
      else sessionsOf(server).byId.delete(session.id)
    },
  }
}

/** The body together with what its session was told before: clients may send nothing but `auth` from the second request on. */
export const withSaid = <T extends object>(server: Homeserver, body: T): T => ({ ...sessionOf(server, body)?.said, ...body })

/** The user that this very request has made before: its answer may have been lost on the way. */
export function outcomeOf(server: Homeserver, body: object): UserId | undefined {
  const { auth: _auth, ...rest } = body as JsonObject
  const outcome = sessionOf(server, body)?.outcome
  return outcome?.request === fingerprintOf(rest) ? outcome?.userId : undefined
}

function sessionOf(server: Homeserver, body: object): UiaSession | undefined {
  const { auth } = body as JsonObject
  const id = isJsonObject(auth) ? ownValue(auth, 'session') : undefined
  const known = typeof id === 'string' ? sessionsOf(server).byId.get(id) : undefined
  return known && known.until > server.clock.now() ? known : undefined
}

const fingerprintOf = (rest: JsonObject): string => sha256Base64(JSON.stringify(rest))

const worthKeeping = (rest: JsonObject): JsonObject | undefined => {
  const length = JSON.stringify(rest).length
  return length > '{}'.length && length <= SAID_LIMIT_BYTES ? rest : undefined
}

function openSession(server: Homeserver, id: Json | undefined, terms: UiaTerms): UiaSession {
  const { operation } = terms
  const { byId } = sessionsOf(server)
  const now = server.clock.now()
  const known = typeof id === 'string' ? byId.get(id) : undefined
  if (known && known.until > now && !known.outcome) {
    if (known.operation !== operation) throw forbidden('This session was begun for another request')
    known.terms = terms
    return known
  }
  const fresh = server.nonce()
  const nothing = { digest: undefined, said: undefined, outcome: undefined }
  const session: UiaSession = { id: fresh, operation, completed: [], until: now + UIA_SESSION_MS, terms, ...nothing }
  byId.set(session.id, session)
  const [oldest] = byId.keys()
  if (byId.size > UIA_SESSION_LIMIT && oldest !== undefined) byId.delete(oldest)
  return session
}

/** What a user has agreed to must be what is done. A first request may come with no body at all. */
function bindBody(session: UiaSession, rest: JsonObject): void {
  if (session.digest === undefined && Object.keys(rest).length === 0) return
  const digest = sha256Base64(canonicalJson(rest))
  session.digest ??= digest
  if (session.digest !== digest) throw forbidden('The request is not the one that this session was begun for')
}

async function tryStage(
  session: UiaSession,
  stage: string,
  auth: JsonObject,
  terms: UiaTerms,
): Promise<MatrixError | undefined> {
  const { completed } = session
  if (completed.includes(stage)) return undefined
  const wanted = [...completed, stage]
  const isNext = terms.flows.some((flow) => wanted.every((each, at) => flow[at] === each))
  if (!isNext) return unrecognized(`${stage} is not a stage that can be done now`)
  const failure = await terms.attempt(stage, auth, session.id)
  if (!failure && !completed.includes(stage)) completed.push(stage)
  return failure
}

export type OpenStage = Readonly<{
  isDone: boolean
  /** What the client was told about it. */
  params: JsonObject
  userId: UserId | undefined
  /** As a client's own attempt: what has gone wrong is returned or thrown. */
  attempt: (auth: JsonObject) => Promise<MatrixError | undefined>
}>

/** A stage that some flow of an open session has, for who does it elsewhere. spec: client-server-api#fallback */
export function findStage(server: Homeserver, sessionId: string, stage: string): OpenStage | undefined {
  const session = sessionOf(server, { auth: { session: sessionId } })
  if (!session || session.outcome || !session.terms.flows.some((flow) => flow.includes(stage))) return undefined
  const { terms } = session
  const params = ownValue(terms.params ?? {}, stage)
  return {
    isDone: session.completed.includes(stage),
    params: isJsonObject(params) ? params : {},
    userId: terms.userId,
    attempt: (auth) => tryStage(session, stage, auth, terms),
  }
}

function challenge(session: UiaSession, { flows, params = {} }: UiaTerms, failure: MatrixError | undefined): UiaChallenge {
  const body: JsonObject = {
    flows: flows.map((stages) => ({ stages })),
    params,
    session: session.id,
    ...(session.completed.length > 0 || failure ? { completed: [...session.completed] } : {}),
    ...(failure ? { errcode: failure.errcode, error: failure.message } : {}),
  }
  return new UiaChallenge(body, failure)
}

export type ProofCall = Readonly<{ request: Request; requester: Requester; body: object; cause: string }>

const PASSWORD_FLOW = [['m.login.password']]

/**
 * Makes the requester prove who they are, by password, before something that a stolen token must not do. Throws the 401
 * that asks for it. `mayReuse`: a proof that this device gave within `ui_auth.session_timeout` counts.
 */
export async function proveIdentity(server: Homeserver, call: ProofCall, { mayReuse = true } = {}): Promise<void> {
  const { request, requester, body, cause } = call
  const { proofs } = sessionsOf(server)
  const device = deviceName(requester)
  const timeoutMs = server.config.uiAuth.sessionTimeout
  const lastProof = proofs.get(device) ?? -Infinity
  if (mayReuse && server.clock.now() < lastProof + timeoutMs) return
  await proveStages(server, body, {
    flows: PASSWORD_FLOW,
    operation: `${request.method} ${pathOf(request.url)} ${device}`,
    userId: requester.userId,
    bindsBody: true,
    attempt: (_stage, auth) => attemptPassword(server, requester, auth, cause),
  })
  noteProof(server, device)
}

/** A device has shown whose it is, now: by this password or by logging in. */
function noteProof(server: Homeserver, device: string): void {
  if (server.config.uiAuth.sessionTimeout <= 0) return
  const { proofs } = sessionsOf(server)
  if (proofs.size >= PROOF_LIMIT) proofs.clear()
  proofs.set(device, server.clock.now())
}

export const noteLogin = (server: Homeserver, userId: UserId, deviceId: DeviceId): void =>
  noteProof(server, deviceName({ userId, deviceId }))

const deviceName = ({ userId, deviceId }: Pick<Requester, 'userId' | 'deviceId'>): string => `${userId}/${deviceId}`

/** spec: client-server-api#password-based */
async function attemptPassword(
  server: Homeserver,
  { userId }: Requester,
  auth: JsonObject,
  cause: string,
): Promise<MatrixError | undefined> {
  if (!mayProveByPassword(server)) return forbidden('Passwords are not used here')
  const { password, identifier, user, address } = auth
  if (typeof password !== 'string') return missingParam('Missing parameter: auth.password')
  const claimed = identifiedUser(server, {
    identifier: isJsonObject(identifier) ? identifier : null,
    user: typeof user === 'string' ? user : null,
    address: typeof address === 'string' ? address : null,
  })
  if (claimed !== userId) throw forbidden('Only the owner of the session can agree to this')
  try {
    return void (await provePassword(server, userId, password, cause))
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === 'M_FORBIDDEN') return error
    throw error
  }
}

const pathOf = (url: string): string => new URL(url).pathname
