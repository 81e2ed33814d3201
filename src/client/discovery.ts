import { Elysia } from 'elysia'
import type { Homeserver } from '#homeserver'
import { open } from '#http/endpoint.ts'
import { wellKnownClient } from '#http/well-known.ts'
import { getVersions, getWellknown, getWellKnownServer, getWellknownSupport } from '#schema/client/discovery.ts'
import { notFound } from '#schema/matrix-error.ts'

/** All of them: clients turn away from a server that lists only what is new. spec: client-server-api#api-versions */
export const SPEC_VERSIONS = [
  'r0.0.1', 'r0.1.0', 'r0.2.0', 'r0.3.0', 'r0.4.0', 'r0.5.0', 'r0.6.0', 'r0.6.1',
  'v1.1', 'v1.2', 'v1.3', 'v1.4', 'v1.5', 'v1.6', 'v1.7', 'v1.8', 'v1.9', 'v1.10', 'v1.11', 'v1.12', 'v1.13',
  'v1.14', 'v1.15', 'v1.16', 'v1.17', 'v1.18',
] as const

/** What is served of proposals; clients look here before they use it. */
export const UNSTABLE_FEATURES = {
  'org.matrix.msc3391': true,
  'uk.tcpip.msc4133': true,
  'uk.tcpip.msc4133.stable': true,
} as const

export const discoveryPage = (server: Homeserver) =>
  new Elysia({ name: 'client/discovery', normalize: false })
    .get(
      '/_matrix/client/versions',
      open(server, getVersions, () => ({
        versions: SPEC_VERSIONS,
        unstable_features: { ...UNSTABLE_FEATURES, ...encryptionOfNewRooms(server) },
      })),
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
      '/.well-known/matrix/server',
      open(server, getWellKnownServer, () => {
        if (!server.config.serveServerWellknown) throw notFound('Servers find this one without it')
        return { 'm.server': `${new URL(server.config.publicBaseurl).hostname}:443` }
      }),
    )

/** The contact is a URI: a mail address, a user of some server, or a page. */
function support(contact: string): Record<string, unknown> {
  const role = 'm.role.admin'
  if (contact.startsWith('mailto:')) return { contacts: [{ email_address: contact.slice('mailto:'.length), role }] }
  const user = /^(?:https:\/\/matrix\.to\/#\/)?(@[^/?]+:[^/?]+)/.exec(contact)?.[1]
  return user ? { contacts: [{ matrix_id: user, role }] } : { support_page: contact }
}

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
