import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { getRetentionConfiguration } from '#schema/client/retention.ts'

/**
 * What this server adds to the `m.room.retention` of rooms (MSC1763): no policy where a room has none, and no limits.
 * A configuration with a policy keeps the server from starting, so there is none that could be told.
 */
export const retentionPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/unstable/org.matrix.msc1763/retention/configuration',
    signedIn(server, getRetentionConfiguration, () => ({ policies: {}, limits: {} })),
  )
