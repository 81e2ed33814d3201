import type { Homeserver } from '#homeserver'

/** Where the client API is, and whatever else the admin tells clients. spec: client-server-api#well-known-uris */
export function wellKnownClient({ config }: Homeserver): Record<string, unknown> {
  const { publicBaseurl, defaultIdentityServer, extraWellKnownClientContent } = config
  return {
    ...extraWellKnownClientContent,
    'm.homeserver': { base_url: publicBaseurl.replace(/\/+$/, '') },
    ...(defaultIdentityServer === null ? {} : { 'm.identity_server': { base_url: defaultIdentityServer } }),
  }
}
