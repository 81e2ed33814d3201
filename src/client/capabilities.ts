import { Elysia } from 'elysia'
import { KNOWN_ROOM_VERSIONS } from '#core/room-version.ts'
import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { getCapabilities } from '#schema/client/capabilities.ts'

export const capabilitiesPage = (server: Homeserver) =>
  new Elysia({ name: 'client/capabilities', normalize: false }).get(
    '/_matrix/client/v3/capabilities',
    signedIn(server, getCapabilities, () => ({ capabilities: capabilitiesOf(server) })),
  )

/** spec: client-server-api#capabilities-negotiation */
function capabilitiesOf({ config }: Homeserver): Record<string, unknown> {
  const disallowed = [
    ...(config.enableSetDisplayname ? [] : ['displayname']),
    ...(config.enableSetAvatarUrl ? [] : ['avatar_url']),
  ]
  const profileFields = { enabled: true, ...(disallowed.length > 0 ? { disallowed } : {}) }
  return {
    'm.change_password': { enabled: config.passwordConfig.enabled !== false && config.passwordConfig.localdbEnabled },
    'm.room_versions': {
      default: config.defaultRoomVersion,
      available: Object.fromEntries(KNOWN_ROOM_VERSIONS.map((version) => [version, 'stable'])),
    },
    'm.set_displayname': { enabled: config.enableSetDisplayname },
    'm.set_avatar_url': { enabled: config.enableSetAvatarUrl },
    'm.3pid_changes': { enabled: false },
    'm.get_login_token': { enabled: false },
    'm.profile_fields': profileFields,
    'uk.tcpip.msc4133.profile_fields': profileFields,
  }
}
