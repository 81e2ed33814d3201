import { ACCEPTED_PAGE } from '#config/consent.ts'
import type { Homeserver } from '#homeserver'
import { acceptTerms, checkKey, CONSENT_PATH, policyPage } from '#http/consent.ts'
import { readForm } from '#http/form.ts'
import { html, page } from '#http/html.ts'
import { page as routes } from '#http/page.ts'
import { isUserId, serverNameOf, type UserId } from '#schema/identifiers.ts'
import { MatrixError, notFound } from '#schema/matrix-error.ts'
import { findAcceptedTerms } from '#store/consent.ts'
import { hasUser } from '#store/users.ts'

/** The server's terms, and where a user accepts them; not in the specification, the links are those of Synapse. */
export const consentPage = (server: Homeserver) =>
  routes()
    .get(CONSENT_PATH, ({ request }) => shown(() => show(server, new URL(request.url).searchParams)))
    .post(CONSENT_PATH, async ({ request }) => {
      const form = await readForm(request)
      return form instanceof Response ? form : shown(() => accept(server, form))
    })

async function show(server: Homeserver, query: URLSearchParams): Promise<Response> {
  const version = versionIn(server, query)
  const user = query.get('u') ?? ''
  const userId = user === '' ? undefined : userIn(server, query)
  const values = {
    user,
    userhmac: query.get('h') ?? '',
    version,
    has_consented: userId !== undefined && findAcceptedTerms(server.store, userId) === version,
    public_version: user === '',
  }
  return policyPage(server, version, values) ?? unknownVersion()
}

async function accept(server: Homeserver, form: URLSearchParams): Promise<Response> {
  const userId = userIn(server, form)
  const version = versionIn(server, form)
  if (!policyPage(server, version, {})) return unknownVersion()
  await acceptTerms(server, userId, version, server.mintCause())
  return policyPage(server, ACCEPTED_PAGE, {}) ?? page('Thank you', html`<p>You can go back to your app.</p>`)
}

const unknownVersion = (): Response => page('There are no such terms', html`<p>This version of the terms is not known here.</p>`, 404)

function versionIn({ config }: Homeserver, fields: URLSearchParams): string {
  if (config.userConsent.version === null) throw notFound('There are no terms to accept here')
  return fields.get('v') ?? config.userConsent.version
}

/** Whose link this is. Throws when it is none of ours, or the user is not there. */
function userIn(server: Homeserver, fields: URLSearchParams): UserId {
  const user = fields.get('u') ?? ''
  checkKey(server, user, fields.get('h') ?? '')
  const userId = user.startsWith('@') ? user : `@${user}:${server.serverName}`
  if (!isUserId(userId) || serverNameOf(userId) !== server.serverName || !hasUser(server.store, userId)) throw notFound('There is no such user')
  return userId
}

async function shown(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MatrixError) return page('This does not work', html`<p>${error.message}.</p>`, error.status)
    throw error
  }
}
