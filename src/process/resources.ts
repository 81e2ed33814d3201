import type { ResourceName } from '#config'

/** What each resource of a listener serves, by the beginning of the path. `/health` is everywhere, see listen.ts. */
const PREFIXES: Readonly<Record<ResourceName, readonly string[]>> = {
  client: [
    '/_matrix/client', '/_matrix/media', '/_matrix/static', '/_matrix/consent', '/_matrix/policy', '/.well-known/matrix',
    '/_synapse/admin', '/_synapse/client', '/_synapse/mas', '/_warren',
  ],
  federation: ['/_matrix/federation', '/_matrix/key', '/_matrix/media', '/_matrix/policy', '/.well-known/matrix/server'],
  keys: ['/_matrix/key'],
  media: ['/_matrix/media', '/_matrix/client/v1/media', '/_matrix/federation/v1/media'],
  openid: ['/_matrix/federation/v1/openid'],
  consent: ['/_matrix/consent'],
  static: ['/_matrix/static'],
  metrics: ['/_synapse/metrics', '/metrics'],
  health: [],
  replication: [],
}

const lies = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')

/** A test whether a listener with these resources serves a path (without its query). */
export function pathFilter(resources: readonly ResourceName[]): (path: string) => boolean {
  const prefixes = resources.flatMap((name) => PREFIXES[name])
  const hasRoot = resources.includes('client') || resources.includes('static')
  return (path) => (hasRoot && path === '/') || prefixes.some((prefix) => lies(path, prefix))
}
