import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { refuseWhileClosed } from '#http/closing.ts'
import { acceptTerms, termsAtRegistration, termsOf } from '#http/consent.ts'
import { type Call, open } from '#http/endpoint.ts'
import { createAccount, newUserId } from '#http/new-account.ts'
import { refuseBeyondLimit } from '#http/monthly-users.ts'
import { page } from '#http/page.ts'
import { checkNewPassword, hashNewPassword } from '#http/passwords.ts'
import { rateLimiter } from '#http/rate-limit.ts'
import { endSessions, logIn } from '#http/sessions.ts'
import { outcomeOf, type Proven, proveStages, withSaid } from '#http/uia.ts'
import { checkUsernameAvailability, register, registrationTokenValidity } from '#schema/client/registration.ts'
import { type DeviceId, deviceIdOf, localpartOf, type UserId } from '#schema/identifiers.ts'
import { forbidden, MatrixError, missingParam, unknown } from '#schema/matrix-error.ts'
import { findSession } from '#store/access-tokens.ts'
import { findRegistrationToken, isUsable } from '#store/registration-tokens.ts'

type RegisterCall = Call<typeof register>

/** Questions about names, per address; the reference server is as strict and not configurable either. */
const AVAILABILITY_RATE = { perSecond: 1, burstCount: 20 }

export const registrationPage = (server: Homeserver) => {
  const { config, clock } = server
  const perAddress = rateLimiter(config.rc.registration, clock.now)
  const tokenChecks = rateLimiter(config.rc.registrationTokenValidity, clock.now)
  const nameChecks = rateLimiter(AVAILABILITY_RATE, clock.now)

  return page()
    .post(
      '/_matrix/client/v3/register',
      open(server, register, async (call) => {
        refuseWhileClosed(server, { isAdmin: false })
        refuseBeyondLimit(server, null)
        perAddress.check(call.clientAddress)
        const accept = () => perAddress.take(call.clientAddress)
        return call.query.kind === 'guest' ? registerGuest(server, call, accept) : registerUser(server, call, accept)
      }),
    )
    .get(
      '/_matrix/client/v3/register/available',
      open(server, checkUsernameAvailability, ({ query: { username }, clientAddress }) => {
        if (!config.enableRegistration) throw closed()
        nameChecks.take(clientAddress)
        refuseUnlessFree(server, username)
        return { available: true }
      }),
    )
    .get(
      '/_matrix/client/v1/register/m.login.registration_token/validity',
      open(server, registrationTokenValidity, ({ query: { token }, clientAddress }) => {
        if (!config.enableRegistration || !config.registrationRequiresToken) throw closed()
        tokenChecks.take(clientAddress)
        const known = findRegistrationToken(server.store, token)
        return { valid: known !== undefined && isUsable(known, clock.now()) }
      }),
    )
}

const closed = (): MatrixError => forbidden('Registration is closed on this server')

/** With `inhibit_user_in_use_error` nobody learns from here which names are taken; the sign-up itself still fails. */
function refuseUnlessFree(server: Homeserver, localpart: string): void {
  try {
    newUserId(server, localpart)
  } catch (error) {
    const isTaken = error instanceof MatrixError && error.errcode === 'M_USER_IN_USE'
    if (!isTaken || !server.config.inhibitUserInUseError) throw error
  }
}

/** Nothing that a guest asks for counts but the name of the device. */
async function registerGuest(server: Homeserver, { body, request, cause }: RegisterCall, accept: () => void) {
  if (!server.config.allowGuestAccess)
    throw new MatrixError(403, 'M_GUEST_ACCESS_FORBIDDEN', 'There are no guests on this server')
  accept()
  const userId = await createAccount(server, { localpart: null, password: null, isGuest: true }, cause)
  return logIn(server, { userId, displayName: body.initial_device_display_name, request, cause })
}

/** Name and password are checked before anything is asked of the user, and once more when the account is made. */
async function registerUser(server: Homeserver, call: RegisterCall, accept: () => void) {
  const { cause } = call
  const body = withSaid(server, call.body)
  if (!server.config.enableRegistration) throw closed()
  const made = outcomeOf(server, body)
  if (made) return welcome(server, made, { ...call, body })
  if (body.type !== undefined && body.type !== 'm.login.password') throw unknown('Unknown registration type')
  const guest = body.guest_access_token ? guestOf(server, body.guest_access_token) : undefined
  const localpart = body.username?.toLowerCase() ?? null
  if (guest && localpart !== localpartOf(guest)) throw forbidden('A guest keeps the name it has')
  if (localpart !== null && !guest) refuseUnlessFree(server, localpart)
  if (typeof body.password === 'string') checkNewPassword(server, body.password)
  const acceptedTerms = termsAtRegistration(server)
  const proven = await proveRegistration(server, body, acceptedTerms)
  if (typeof body.password !== 'string') throw missingParam('Missing parameter: password')
  accept()
  const userId = guest
    ? await upgradeGuest(server, guest, { password: body.password, acceptedTerms, deviceId: keptDevice(body) }, cause)
    : await createAccount(server, { localpart, password: body.password, displayname: body.username ?? null, acceptedTerms }, cause)
  proven.close(userId)
  await server.registration.ask({ kind: 'spendRegistrationToken', session: proven.session }, cause)
  return welcome(server, userId, { ...call, body })
}

/** Logs the new user in, unless they do not want that. */
function welcome(server: Homeserver, userId: UserId, { body, request, cause }: RegisterCall) {
  if (body.inhibit_login) return { user_id: userId, home_server: server.serverName }
  return logIn(server, {
    userId,
    deviceId: body.device_id,
    displayName: body.initial_device_display_name,
    isRefreshable: body.refresh_token === true,
    request,
    cause,
  })
}

/** The device on which who registers goes on, by a new token. */
const keptDevice = ({ device_id: id, inhibit_login: isLoggedOut }: RegisterCall['body']): DeviceId | null =>
  id && !isLoggedOut ? deviceIdOf(id) : null

/** spec: client-server-api#guest-access */
function guestOf(server: Homeserver, token: string): UserId {
  const session = findSession(server.store, token)
  if (!session?.isGuest) throw forbidden('This is not the access token of a guest')
  return session.userId
}

type Upgrade = Readonly<{ password: string; acceptedTerms: string | null; deviceId: DeviceId | null }>

/** What let a guest in is not to open the account; on a device of the same name, keys and messages stay. */
async function upgradeGuest(server: Homeserver, userId: UserId, { password, acceptedTerms, deviceId }: Upgrade, cause: string): Promise<UserId> {
  const passwordHash = await hashNewPassword(server, password)
  await server.user(userId).ask({ kind: 'upgradeGuest', passwordHash }, cause)
  await endSessions(server, userId, cause, deviceId)
  if (acceptedTerms !== null) await acceptTerms(server, userId, acceptedTerms, cause)
  return userId
}

const DUMMY = 'm.login.dummy'
const TOKEN = 'm.login.registration_token'
const TERMS = 'm.login.terms'

/** Clients may say what they want in any request of the session, so no body is bound to it. */
function proveRegistration(server: Homeserver, body: RegisterCall['body'], terms: string | null): Promise<Proven> {
  const stages = [...(server.config.registrationRequiresToken ? [TOKEN] : []), ...(terms === null ? [] : [TERMS])]
  return proveStages(server, body, {
    flows: [stages.length === 0 ? [DUMMY] : stages],
    params: terms === null ? {} : { [TERMS]: termsOf(server, terms) },
    operation: 'register',
    bindsBody: false,
    attempt: async (stage, auth, session) => (stage === TOKEN ? attemptToken(server, auth, session) : undefined),
  })
}

/** One use of the token is kept for this session. spec: client-server-api#token-authenticated-registration */
async function attemptToken(
  server: Homeserver,
  { token }: JsonObject,
  session: string,
): Promise<MatrixError | undefined> {
  if (typeof token !== 'string') return missingParam('Missing parameter: auth.token')
  const isKept = await server.registration.ask({ kind: 'claimRegistrationToken', token, session }, server.mintCause())
  return isKept ? undefined : new MatrixError(401, 'M_UNAUTHORIZED', 'This registration token is not valid')
}
