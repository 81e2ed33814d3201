import { Elysia } from 'elysia'
import { homeserverDoor } from '#admin/homeserver-door.ts'
import { metricsPage } from '#admin/metrics.ts'
import { register } from '#admin/register.ts'
import { welcome } from '#admin/welcome.ts'
import { clientPages } from '#client/index.ts'
import { federationPages } from '#federation/index.ts'
import type { Homeserver } from '#homeserver'
import { preflight } from '#http/cors.ts'
import { errorResponse } from '#http/errors.ts'
import type { Endpoint } from '#http/page.ts'
import { unrecognized } from '#schema/matrix-error.ts'

/** Older clients still call the paths by their old name; each is the same endpoint. */
const OLD_NAMES = [
  ['/_matrix/client/v3/', '/_matrix/client/r0/'],
  ['/_matrix/media/v3/', '/_matrix/media/r0/'],
  ['/_matrix/media/v3/', '/_matrix/media/v1/'],
  ['/_matrix/client/v1/media/', '/_matrix/client/unstable/org.matrix.msc3916/media/'],
  ['/_matrix/client/v3/room_keys/', '/_matrix/client/unstable/room_keys/'],
  ['/_matrix/client/v1/login/get_token', '/_matrix/client/unstable/org.matrix.msc3882/login/get_token'],
] as const

/** All endpoints under one router. */
export function app(server: Homeserver) {
  const bug = (error: unknown): void => server.log.error({ err: error }, 'a request failed')
  const router = new Elysia({ normalize: false, strictPath: true }).onError(({ error }) => errorResponse(error, bug))
  const pages = [...clientPages(server), ...federationPages(server), metricsPage(server)]
  for (const { method, path, handler } of pages.flatMap(({ routes }) => routes)) {
    router.route(method, path, handler, AS_IT_IS)
    for (const [name, oldName] of OLD_NAMES) {
      if (path.startsWith(name)) router.route(method, path.replace(name, oldName), handler, AS_IT_IS)
    }
  }
  router.use(welcome(server)).use(sharedSecretRegistration(server, bug))
  const routes = [...router.routes]
  return router.all('/*', unknownPath(routes))
}

/** Endpoints read their bodies themselves, strictly. */
const AS_IT_IS = { config: {}, parse: 'none' } as const

const sharedSecretRegistration = (server: Homeserver, bug: (error: unknown) => void) =>
  register({ door: homeserverDoor(server), secret: server.config.registrationSharedSecret, now: server.clock.now, bug })

/** 404 for what does not exist, 405 for what does under another method. spec: client-server-api#common-error-codes */
function unknownPath(routes: readonly { method: string; path: string }[]): Endpoint {
  let known: readonly RegExp[] | undefined
  return ({ request }) => {
    if (request.method === 'OPTIONS') return preflight()
    const { pathname } = new URL(request.url)
    known ??= routes.map(({ path }) => patternOf(path))
    const isKnown = known.some((pattern) => pattern.test(pathname))
    const error = isKnown
      ? unrecognized(`${request.method} is not a method of this endpoint`, 405)
      : unrecognized('This server has no such endpoint')
    return errorResponse(error, () => {})
  }
}

const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/:[^/]+/g, '[^/]+').replace('*', '.*')}$`)
