import type { Homeserver } from '#homeserver'
import { open } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import about from '#package' with { type: 'json' }
import { getVersion } from '#schema/federation/version.ts'

/** What this server is. Clients ask it too, to know whom they speak with. */
export const versionPage = (server: Homeserver) =>
  page().get(
    '/_matrix/federation/v1/version',
    open(server, getVersion, () => ({ server: { name: 'Warren', version: about.version } })),
  )
