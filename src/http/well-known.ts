import type { Homeserver } from '#homeserver'

/** Where the client API is, and whatever else the admin tells clients. spec: client-server-api#well-known-uris */
export function wellKnownClient({ config }: Homeserver): Record<string, unknown> {
  const { publicBaseurl, defaultIdentityServer, extraWellKnownClientContent, matrixRtc } = config
  return {
    // Some clients look for servers of calls here and nowhere else (MSC4143).
    ...(matrixRtc.transports.length === 0 ? {} : { 'org.matrix.msc4143.rtc_foci': matrixRtc.transports }),
    ...extraWellKnownClientContent,
    'm.homeserver': { base_url: publicBaseurl.replace(/\/+$/, '') },
    ...(defaultIdentityServer === null ? {} : { 'm.identity_server': { base_url: defaultIdentityServer } }),
  }
}
