import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { JsonObject } from '#schema/pdu.ts'
import { parseTemplate, printTemplate, type TemplateValues } from '#core/page-template.ts'
import { POLICY_LANGUAGE, policyFile } from '#config/consent.ts'
import type { Homeserver } from '#homeserver'
import type { UserId } from '#schema/identifiers.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { findAcceptedTerms } from '#store/consent.ts'
import { findUser } from '#store/users.ts'
import { pageHeaders } from './html.ts'
import { joinFirstRooms } from './first-rooms.ts'

export const CONSENT_PATH = '/_matrix/consent'

/** The policy in the terms that a new user is shown. */
const POLICY = 'privacy_policy'

const addressOf = ({ config }: Homeserver, query: Readonly<Record<string, string>>): string =>
  `${config.publicBaseurl}${CONSENT_PATH.slice(1)}?${new URLSearchParams(query)}`

/** What the stage `m.login.terms` says. spec: client-server-api#definition-mloginterms-params */
export function termsOf(server: Homeserver, version: string): JsonObject {
  const { policyName } = server.config.userConsent
  return { policies: { [POLICY]: { version, [POLICY_LANGUAGE]: { name: policyName, url: addressOf(server, { v: version }) } } } }
}

/** The version of the terms that whoever registers has to accept; null: there are none. */
export const termsAtRegistration = ({ config: { userConsent } }: Homeserver): string | null =>
  userConsent.requireAtRegistration ? userConsent.version : null

/** Shows that a link is one of this server's own, made for this user. */
const keyFor = ({ config }: Homeserver, user: string): string =>
  createHmac('sha256', config.formSecret ?? '').update(user).digest('hex')

/** Throws `M_FORBIDDEN` unless the key is the one that was made for the user. */
export function checkKey(server: Homeserver, user: string, key: string): void {
  const [right, said] = [Buffer.from(keyFor(server, user)), Buffer.from(key)]
  if (right.length !== said.length || !timingSafeEqual(right, said)) throw new MatrixError(403, 'M_FORBIDDEN', 'This link is not one of this server')
}

/**
 * Whoever has not accepted the terms of today may read and leave, and is told where to accept them. Throws
 * `M_CONSENT_NOT_GIVEN`. spec: client-server-api#other-error-codes
 */
export function refuseWithoutConsent(server: Homeserver, userId: UserId): void {
  const { version, blockEventsError } = server.config.userConsent
  if (version === null || blockEventsError === null || findAcceptedTerms(server.store, userId) === version) return
  const link = addressOf(server, { u: userId, h: keyFor(server, userId) })
  throw new MatrixError(403, 'M_CONSENT_NOT_GIVEN', blockEventsError.replaceAll('%(consent_uri)s', link), { consent_uri: link })
}

/** Whoever had to accept the terms first comes into the rooms of every new user now. */
export async function acceptTerms(server: Homeserver, userId: UserId, version: string, cause: string): Promise<void> {
  const before = findAcceptedTerms(server.store, userId)
  if (before === version) return
  await server.user(userId).ask({ kind: 'acceptTerms', version }, cause)
  const isGuest = findUser(server.store, userId)?.isGuest ?? false
  if (before === null && termsAtRegistration(server) !== null) await joinFirstRooms(server, { userId, isGuest }, cause)
}

/** The admin's own page, or undefined where there is none of that name. It may have styles of its own, but no script. */
export function policyPage({ config }: Homeserver, name: string, values: TemplateValues): Response | undefined {
  const text = readPage(policyFile(config.userConsent, name))
  if (text === undefined) return undefined
  const headers = pageHeaders(`style-src 'unsafe-inline'; img-src 'self' data:`)
  return new Response(printTemplate(parseTemplate(text), values), { headers })
}

function readPage(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw failure
  }
}
