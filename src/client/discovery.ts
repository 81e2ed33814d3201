import type { Homeserver } from '#homeserver'
import { JSON_HEADERS } from '#http/cors.ts'
import { open } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { isTracked } from '#http/presence.ts'
import { wellKnownClient } from '#http/well-known.ts'
import {
  getVersions, getWellknown, getWellknownPolicy, getWellKnownServer, getWellknownSupport,
} from '#schema/client/discovery.ts'
import { notFound } from '#schema/matrix-error.ts'

/** All of them: clients turn away from a server that lists only what is new. spec: client-server-api#api-versions */
export const SPEC_VERSIONS = [
  'r0.0.1', 'r0.1.0', 'r0.2.0', 'r0.3.0', 'r0.4.0', 'r0.5.0', 'r0.6.0', 'r0.6.1',
  'v1.1', 'v1.2', 'v1.3', 'v1.4', 'v1.5', 'v1.6', 'v1.7', 'v1.8', 'v1.9', 'v1.10', 'v1.11', 'v1.12', 'v1.13',
  'v1.14', 'v1.15', 'v1.16', 'v1.17', 'v1.18', 'v1.19',
] as const

/** What is served of proposals; clients look here before they use it. */
export const UNSTABLE_FEATURES = {
  'com.beeper.msc4169': true,
  'com.beeper.msc4446': true,
  'fi.mau.msc2815': true,
  'org.matrix.e2e_cross_signing': true,
  'org.matrix.msc2285.stable': true,
  'org.matrix.msc2432': true,
  'org.matrix.msc3030': true,
  'org.matrix.msc3391': true,
  'org.matrix.msc3440.stable': true,
  'org.matrix.msc3771': true,
  'org.matrix.msc3773': true,
  'org.matrix.msc3827.stable': true,
  'org.matrix.msc3856': true,
  'org.matrix.msc3874': true,
  'org.matrix.msc3881': true,
  'org.matrix.msc3912': true,
  'org.matrix.msc3981': true,
  'org.matrix.msc4143': true,
  'org.matrix.msc4155': true,
  'org.matrix.msc4262': true,
  'org.matrix.msc4306': true,
  'org.matrix.msc4354': true,
  'org.matrix.msc4380.stable': true,
  'org.matrix.msc4508': true,
  'org.matrix.msc4508.stable': true,
  'org.matrix.msc4538': true,
  'org.matrix.msc4538.stable': true,
  'org.matrix.msc4543': true,
  'org.matrix.msc4543.stable': true,
  'org.matrix.simplified_msc3575': true,
  'uk.half-shot.msc2666.query_mutual_rooms': true,
  'uk.half-shot.msc2666.query_mutual_rooms.stable': true,
  'uk.tcpip.msc4133': true,
  'uk.tcpip.msc4133.stable': true,
  'uk.timedout.msc4323': true,
  'uk.timedout.msc4323.stable': true,
} as const

/** An answer may depend on who asks, so no cache between may give one's answer to another. */
const OWN_ANSWER = { ...JSON_HEADERS, 'vary': 'Authorization', 'cache-control': 'private' }

export const discoveryPage = (server: Homeserver) =>
  page()
    .get(
      '/_matrix/client/versions',
      open(server, getVersions, () => {
        const features = { ...UNSTABLE_FEATURES, ...featuresOf(server), ...encryptionOfNewRooms(server) }
        const body = JSON.stringify({ versions: SPEC_VERSIONS, unstable_features: features })
        return new Response(body, { headers: OWN_ANSWER })
      }),
    )
    .get('/.well-known/matrix/client', open(server, getWellknown, () => wellKnownClient(server)))
    .get(
      '/.well-known/matrix/support',
      open(server, getWellknownSupport, () => {
        if (server.config.adminContact === null) throw notFound('This server names nobody to ask')
        return support(server.config.adminContact)
      }),
    )
    .get(
      '/.well-known/matrix/policy_server',
      open(server, getWellknownPolicy, () => {
        throw notFound('This is no policy server')
      }),
    )
    .get(
      '/.well-known/matrix/server',
      open(server, getWellKnownServer, () => {
        if (!server.config.serveServerWellknown) throw notFound('Servers find this one without it')
        return { 'm.server': delegateOf(server.serverName) }
      }),
    )

/** Whoever reads this has reached us under our own name by HTTPS, so that way is good for the rest too. */
const delegateOf = (serverName: string): string => (/:\d+$/.test(serverName) ? serverName : `${serverName}:443`)

/** The contact is a URI: a mail address, a user of some server, or a page. */
function support(contact: string): Record<string, unknown> {
  const role = 'm.role.admin'
  if (contact.startsWith('mailto:')) return { contacts: [{ email_address: contact.slice('mailto:'.length), role }] }
  const user = /^(?:https:\/\/matrix\.to\/#\/)?(@[^/?]+:[^/?]+)/.exec(contact)?.[1]
  return user ? { contacts: [{ matrix_id: user, role }] } : { support_page: contact }
}

/** What the admin may have turned off. */
const featuresOf = (server: Homeserver): Record<string, boolean> => ({
  'org.matrix.msc3026.busy_presence': isTracked(server),
  'org.matrix.msc3882': server.config.loginViaExistingSession.enabled,
  'org.matrix.msc4140': server.config.maxEventDelayDuration !== null,
  'org.matrix.msc4140.stable': server.config.maxEventDelayDuration !== null,
})

/** Element asks before it makes a room. */
function encryptionOfNewRooms({ config }: Homeserver): Record<string, boolean> {
  const rooms = config.encryptionEnabledByDefaultForRoomType
  const isPrivate = rooms === 'all' || rooms === 'invite'
  return {
    'io.element.e2ee_forced.public': rooms === 'all',
    'io.element.e2ee_forced.private': isPrivate,
    'io.element.e2ee_forced.trusted_private': isPrivate,
  }
}
