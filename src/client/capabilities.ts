import { KNOWN_ROOM_VERSIONS } from '#core/room-version.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { SCHEDULED_LIMIT } from '#http/delayed-events.ts'
import { page } from '#http/page.ts'
import { mayLogInByPassword } from '#http/passwords.ts'
import { getCapabilities } from '#schema/client/capabilities.ts'

export const capabilitiesPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/v3/capabilities',
    signedIn(server, getCapabilities, ({ requester }) => ({ capabilities: capabilitiesOf(server, requester) })),
  )

/** spec: client-server-api#capabilities-negotiation */
function capabilitiesOf(server: Homeserver, { isAdmin }: Requester): Record<string, unknown> {
  const { config } = server
  const disallowed = [
    ...(config.enableSetDisplayname ? [] : ['displayname']),
    ...(config.enableSetAvatarUrl ? [] : ['avatar_url']),
  ]
  const profileFields = { enabled: true, ...(disallowed.length > 0 ? { disallowed } : {}) }
  const moderation = { suspend: isAdmin, lock: isAdmin }
  const forgetting = { enabled: config.forgetRoomsOnLeave }
  return {
    'm.account_moderation': moderation,
    'uk.timedout.msc4323': moderation,
    'm.change_password': { enabled: mayLogInByPassword(server) },
    'm.room_versions': {
      default: config.defaultRoomVersion,
      available: Object.fromEntries(KNOWN_ROOM_VERSIONS.map((version) => [version, 'stable'])),
    },
    'm.set_displayname': { enabled: config.enableSetDisplayname },
    'm.set_avatar_url': { enabled: config.enableSetAvatarUrl },
    'm.3pid_changes': { enabled: false },
    'm.forget_forced_upon_leave': forgetting,
    'org.matrix.msc4267.forget_forced_upon_leave': forgetting,
    'm.get_login_token': { enabled: config.loginViaExistingSession.enabled },
    'org.matrix.msc3720.account_status': { enabled: true },
    'org.matrix.msc4140.delayed_events': delayedEvents(config.maxEventDelayDuration),
    'io.element.msc4452.preview_url': { enabled: false },
    'm.profile_fields': profileFields,
    'uk.tcpip.msc4133.profile_fields': profileFields,
  }
}

/** MSC4140. Without a longest delay there are no delayed events. */
const delayedEvents = (maxDelayMs: number | null): object =>
  ({ max_delay_ms: maxDelayMs ?? 0, max_scheduled: maxDelayMs === null ? 0 : SCHEDULED_LIMIT })
