import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

import { Type, type Static } from '@sinclair/typebox'
import { Elysia } from 'elysia'

import { forbidden, invalidParam, unknown } from '#schema/matrix-error.ts'
import { serverNameOf } from '#schema/identifiers.ts'

import { answer, bodyOf, type Bug } from './answer.ts'
import type { AdminDoor } from './door.ts'

/** How long a nonce may be used, once. */
export const NONCE_LIFETIME_MS = 60_000
/** Nonces that are out at one time; more push out the oldest. */
export const NONCE_LIMIT = 1_000

const Body = Type.Object({
  nonce: Type.String(),
  username: Type.String({ minLength: 1, maxLength: 255 }),
  password: Type.String({ minLength: 1, maxLength: 512 }),
  mac: Type.String(),
  admin: Type.Optional(Type.Boolean()),
  user_type: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  displayname: Type.Optional(Type.String()),
  inhibit_login: Type.Optional(Type.Boolean()),
  device_id: Type.Optional(Type.String()),
  initial_device_display_name: Type.Optional(Type.String()),
})
type Body = Static<typeof Body>

export type SharedSecretRegistration = Readonly<{
  door: AdminDoor
  /** `registration_shared_secret`; null: every request is refused. */
  secret: string | null
  now(): number
  bug: Bug
}>

/**
 * Registration by who knows `registration_shared_secret`, by Synapse's protocol: a nonce, then an HMAC-SHA1 over
 * nonce, name, password and role, parted by NUL.
 */
export const register = ({ door, secret, now, bug }: SharedSecretRegistration) => {
  const nonces = new Map<string, number>()
  return new Elysia({ name: 'admin/register', normalize: false })
    .get('/_synapse/admin/v1/register', () => answer(async () => {
      expectSecret(secret)
      return { nonce: issueNonce(nonces, now()) }
    }, bug))
    .post('/_synapse/admin/v1/register', ({ request }) => answer(async () => {
      const key = expectSecret(secret)
      const body = await bodyOf(request, Body)
      takeNonce(nonces, body.nonce, now())
      checkText('username', body.username)
      checkText('password', body.password)
      checkMac(body, key)
      return makeUser(door, body)
    }, bug), { parse: 'none' })
}

function expectSecret(secret: string | null): string {
  if (secret !== null) return secret
  throw unknown('Registration by shared secret is off; set registration_shared_secret to use it')
}

function issueNonce(nonces: Map<string, number>, now: number): string {
  dropStale(nonces, now)
  const oldest = nonces.keys().next().value
  if (nonces.size >= NONCE_LIMIT && oldest !== undefined) nonces.delete(oldest)
  const nonce = randomBytes(64).toString('hex')
  nonces.set(nonce, now)
  return nonce
}

function takeNonce(nonces: Map<string, number>, nonce: string, now: number): void {
  dropStale(nonces, now)
  if (!nonces.delete(nonce)) throw unknown('This nonce is unknown, used or too old; ask for another')
}

/** Nonces are kept in the order of their age. */
function dropStale(nonces: Map<string, number>, now: number): void {
  for (const [nonce, issued] of nonces) {
    if (now - issued <= NONCE_LIFETIME_MS) return
    nonces.delete(nonce)
  }
}

/** NUL parts the fields of the HMAC, so it may stand in none of them. */
function checkText(name: string, value: string): void {
  if (value.includes('\0')) throw invalidParam(`The ${name} may hold no NUL`)
}

/** The HMAC that a registration must carry, in hex. */
export function registrationMac(
  secret: string,
  { nonce, username, password, admin, user_type }: Pick<Body, 'nonce' | 'username' | 'password' | 'admin' | 'user_type'>,
): string {
  const fields = [nonce, username, password, admin === true ? 'admin' : 'notadmin', ...(user_type ? [user_type] : [])]
  return createHmac('sha1', secret).update(fields.join('\0')).digest('hex')
}

function checkMac(body: Body, secret: string): void {
  const expected = Buffer.from(registrationMac(secret, body))
  const given = Buffer.from(body.mac.toLowerCase())
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw forbidden('HMAC incorrect')
}

async function makeUser(door: AdminDoor, body: Body): Promise<object> {
  const { userId } = await door.createUser({
    localpart: body.username.toLowerCase(),
    password: body.password,
    admin: body.admin ?? false,
    displayname: body.displayname ?? null,
    userType: body.user_type ?? null,
  })
  const made = { user_id: userId, home_server: serverNameOf(userId) }
  if (body.inhibit_login === true) return made
  const { accessToken, deviceId } = await door.startSession({
    userId,
    deviceId: body.device_id ?? null,
    displayName: body.initial_device_display_name ?? null,
  })
  return { ...made, access_token: accessToken, device_id: deviceId }
}
