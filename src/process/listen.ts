import { chmodSync, readFileSync } from 'node:fs'

import { attachConnection } from '#http/connection.ts'
import { JSON_HEADERS, preflight } from '#http/cors.ts'
import type { Config, Listener } from '#config'
import { ConfigError } from '#config'

import { clientAddress, networkMatcher } from './address.ts'
import { pathFilter } from './resources.ts'

/** A connection on which nothing moves is closed; the ticks of Bun's timer are four seconds. */
export const IDLE_TIMEOUT_SECONDS = 120
/** What a request other than an upload may weigh: Synapse's 200 times an event. */
export const REQUEST_BODY_LIMIT_BYTES = 200 * 65_536
/** Bun's own bound on all headers and the target together; more is answered with 431. */
export const REQUEST_HEADER_LIMIT_BYTES = 16 * 1024
/** How long requests may finish in when the server stops; then they are cut. */
export const DRAIN_LIMIT_MS = 10_000
/** How long requests that were kept open (long polls) may go on when the server stops; then they are told so. */
export const KEPT_OPEN_GRACE_MS = 500

/** Answered on every listener, without a look at anything else: whoever asks wants to know whether the loop turns. */
const HEALTH_PATH = '/health'

export type Handler = (request: Request) => Response | Promise<Response>
/** The part of a logger that is used here (pino's is one). */
export type ListenLog = Readonly<{
  warn(details: object, message: string): void
  error(details: object, message: string): void
}>

export type Listening = Readonly<{
  /** Where it listens, for people: `http://127.0.0.1:8008`, `unix:/run/warren.sock`. */
  addresses: readonly string[]
  /** Reads the certificates again and uses them for new connections. Throws, and keeps the old ones, if they are bad. */
  reloadTls(): Promise<void>
  /**
   * Takes no more connections, calls `wake` so that long polls may answer, lets requests finish, and cuts them after
   * DRAIN_LIMIT_MS.
   */
  stop(wake?: () => void): Promise<void>
}>

type Socket = { listener: Listener; address: string; server: Bun.Server<undefined> }
type Shared = Readonly<{
  config: Config
  handle: Handler
  log: ListenLog
  isTrusted: (address: string) => boolean
  /** One function for each request that is kept open: it answers that the server stops. */
  keptOpen: Set<() => void>
}>

/** Opens every listener of the configuration. Throws ConfigError, with none left open, when one cannot be. */
export async function listen(config: Config, handle: Handler, log: ListenLog): Promise<Listening> {
  const shared: Shared = { config, handle, log, isTrusted: networkMatcher(config.trustedProxies), keptOpen: new Set() }
  const sockets: Socket[] = []
  try {
    for (const listener of config.listeners) {
      if (listener.path === null) await openPorts(shared, listener, sockets)
      else sockets.push(openPath(shared, listener, listener.path))
    }
  } catch (failure) {
    await Promise.all(sockets.map(({ server }) => server.stop(true)))
    throw failure
  }
  return {
    addresses: sockets.map(({ address }) => address),
    reloadTls: () => reloadTls(shared, sockets),
    stop: (wake) => drain(sockets, shared.keptOpen, wake),
  }
}

async function openPorts(shared: Shared, listener: Listener, sockets: Socket[]): Promise<void> {
  const port = listener.port ?? 0
  const opened: Socket[] = []
  for (const hostname of listener.bindAddresses) {
    try {
      // With reusePort (see reloadTls) a port that is taken would be shared, so the first try goes without.
      if (listener.tls && port !== 0) await openPort(shared, listener, { hostname, port, reusePort: false }).server.stop(true)
      const reusePort = listener.tls && port !== 0
      opened.push(openPort(shared, listener, { hostname, port, reusePort }))
    } catch (failure) {
      if (!isCovered(failure, opened, listener.bindAddresses)) throw explain(failure, `${hostname}:${port}`)
    }
  }
  sockets.push(...opened)
}

/** `reusePort` is never left out: with `development: false` Bun takes it for true, and ports would be shared unseen. */
type Place = Readonly<{ hostname: string; port: number; reusePort: boolean }>

function openPort(shared: Shared, listener: Listener, place: Place): Socket {
  const server = Bun.serve({
    ...serving(shared, listener),
    ...place,
    ...(listener.tls ? { tls: readCertificate(shared.config) } : {}),
  })
  const host = place.hostname.includes(':') ? `[${place.hostname}]` : place.hostname
  return { listener, address: `${listener.tls ? 'https' : 'http'}://${host}:${server.port}`, server }
}

function openPath(shared: Shared, listener: Listener, path: string): Socket {
  try {
    // The types allow no idleTimeout here; the server takes it all the same, and needs it for long polls.
    const options: object = { ...serving(shared, listener), unix: path }
    const server = Bun.serve(options as Bun.Serve.Options<undefined>)
    chmodSync(path, listener.mode)
    return { listener, address: `unix:${path}`, server }
  } catch (failure) {
    throw explain(failure, path)
  }
}

/** `::` often serves v4 as well, and not every machine has v6: one of several addresses may fail for that reason. */
function isCovered(failure: unknown, opened: readonly Socket[], addresses: readonly string[]): boolean {
  const code = codeOf(failure)
  if (code === 'EADDRINUSE') return opened.length > 0 && addresses.includes('::') && addresses.includes('0.0.0.0')
  return (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') && addresses.length > 1
}

const codeOf = (failure: unknown): string | undefined => (failure as { code?: string } | null)?.code

function explain(failure: unknown, where: string): ConfigError {
  if (failure instanceof ConfigError) return failure
  const code = codeOf(failure)
  if (code === 'EADDRINUSE') {
    return new ConfigError([
      `Cannot listen on ${where}: another program does.`,
      'Stop that program (is another warren running? `warren status`), or choose another port under listeners',
    ])
  }
  if (code === 'EACCES') {
    return new ConfigError([
      `Cannot listen on ${where}: that needs more rights.`,
      'Choose a port from 1024 up and let a reverse proxy take 443, or grant CAP_NET_BIND_SERVICE',
    ])
  }
  return new ConfigError([`Cannot listen on ${where}: ${String(failure instanceof Error ? failure.message : failure)}`])
}

function readCertificate({ tls }: Config): { cert: string; key: string } {
  if (tls === null) throw new ConfigError(['A listener with tls needs tls_certificate_path and tls_private_key_path'])
  return { cert: readPem(tls.certificatePath), key: readPem(tls.privateKeyPath) }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (failure) {
    throw new ConfigError([`${path} cannot be read: ${String(failure instanceof Error ? failure.message : failure)}`])
  }
}

function serving(shared: Shared, listener: Listener) {
  const { config, handle, log, isTrusted, keptOpen } = shared
  const isServed = pathFilter(listener.resources)
  let hasWarned = false
  const warnOnce = (peer: string): void => {
    if (hasWarned) return
    hasWarned = true
    log.warn({ peer }, `${peer} sends X-Forwarded-For and is not among trusted_proxies, so the header is ignored`)
  }
  return {
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    maxRequestBodySize: Math.max(config.maxUploadSize, REQUEST_BODY_LIMIT_BYTES),
    development: false,
    fetch(request: Request, server: Bun.Server<undefined>) {
      const target = targetOf(request.url)
      const path = pathOf(target)
      if (path === HEALTH_PATH) return new Response('OK')
      if (!isServed(path)) return request.method === 'OPTIONS' ? preflight() : unrecognized()
      const peer = server.requestIP(request)?.address ?? null
      const forwarded = listener.xForwarded ? request.headers.get('x-forwarded-for') : null
      if (forwarded !== null && peer !== null && !isTrusted(peer)) warnOnce(peer)
      const usable = withUsableUrl(request, target)
      const { promise: ended, resolve: end } = Promise.withResolvers<Response>()
      const endIt = (): void => end(stopping())
      attachConnection(usable, {
        address: clientAddress(peer, forwarded, isTrusted),
        isSecure: listener.tls || (listener.xForwarded && request.headers.get('x-forwarded-proto') === 'https'),
        keepOpen() {
          server.timeout(request, 0)
          keptOpen.add(endIt)
        },
      })
      const answer = handle(usable)
      if (answer instanceof Response) return answer
      return Promise.race([answer, ended]).finally(() => keptOpen.delete(endIt))
    },
    error(failure: Error) {
      log.error({ err: failure }, 'a request failed outside every route')
      return Response.json({ errcode: 'M_UNKNOWN', error: 'Internal server error' }, { status: 500, headers: JSON_HEADERS })
    },
  }
}

/** Path and query, whatever stands before: a request without a good Host header has nothing there. */
function targetOf(url: string): string {
  const slash = url.indexOf('/', url.startsWith('http') ? 'https://'.length : 0)
  return slash < 0 ? '/' : url.slice(slash)
}

const pathOf = (target: string): string => {
  const end = target.indexOf('?')
  return end < 0 ? target : target.slice(0, end)
}

/** The router looks for the path behind the eleventh letter, so hosts of under four letters need a longer name. */
const SHORTEST_ORIGIN = 'http://four'.length

function withUsableUrl(request: Request, target: string): Request {
  const originLength = request.url.length - target.length
  if (originLength >= SHORTEST_ORIGIN) return request
  return new Request(`http://localhost${target}`, request)
}

function unrecognized(): Response {
  const body = { errcode: 'M_UNRECOGNIZED', error: 'This address does not serve that' }
  return Response.json(body, { status: 404, headers: JSON_HEADERS })
}

/** Clients try again by themselves, and find the server that has started meanwhile. */
function stopping(): Response {
  const body = { errcode: 'M_UNKNOWN', error: 'The server stops; try again' }
  return Response.json(body, { status: 503, headers: { ...JSON_HEADERS, 'retry-after': '1' } })
}

/**
 * Bun cannot change the certificate of a socket that listens, so a second server opens on the same port, and the
 * first one finishes what it has begun.
 */
async function reloadTls(shared: Shared, sockets: Socket[]): Promise<void> {
  for (const socket of sockets) {
    const { port, hostname } = socket.server
    if (!socket.listener.tls || port === undefined || hostname === undefined) continue
    const old = socket.server
    socket.server = openPort(shared, socket.listener, { hostname, port, reusePort: true }).server
    void old.stop()
  }
}

async function drain(sockets: readonly Socket[], keptOpen: ReadonlySet<() => void>, wake?: () => void): Promise<void> {
  const isDrained = Promise.all(sockets.map(({ server }) => server.stop()))
  wake?.()
  await Promise.race([isDrained, Bun.sleep(KEPT_OPEN_GRACE_MS)])
  for (const end of keptOpen) end()
  await Promise.race([isDrained, Bun.sleep(DRAIN_LIMIT_MS)])
  await Promise.all(sockets.map(({ server }) => server.stop(true)))
}
