import { choice, complain, flag, integer, list, maybeText, orNull, section, text, type Path, type Reading } from './reading.ts'

export const RESOURCE_NAMES = [
  'client', 'consent', 'federation', 'health', 'keys', 'media', 'metrics', 'openid', 'replication', 'static',
] as const
export type ResourceName = (typeof RESOURCE_NAMES)[number]

/** One socket (or one per address) and what it serves. Either `port` or `path` is set. */
export type Listener = Readonly<{
  port: number | null
  bindAddresses: readonly string[]
  /** A Unix socket instead of a port; absolute. */
  path: string | null
  /** Permissions of the Unix socket. */
  mode: number
  tls: boolean
  xForwarded: boolean
  tag: string | null
  requestIdHeader: string | null
  resources: readonly ResourceName[]
}>

/** Synapse's default when a listener names no address; the second is skipped where the first serves both. */
const EVERY_ADDRESS = ['::', '0.0.0.0']
const EVERYONE_MAY = 0o666

const SOCKET_TYPES = ['http', 'manhole', 'metrics', 'replication'] as const

const fields = section({
  type: choice(SOCKET_TYPES, 'http'),
  port: orNull(integer(-1)),
  bind_addresses: list(text('')),
  bind_address: maybeText,
  path: maybeText,
  mode: orNull(text('')),
  tls: flag(false),
  x_forwarded: flag(false),
  request_id_header: maybeText,
  tag: maybeText,
  resources: list(section({ names: list(choice(RESOURCE_NAMES, 'client')), compress: flag(false) })),
  additional_resources: orNull(section({})),
})

/** Listeners for people: without the option, this machine alone is listened to. */
export const localListener: Listener = {
  port: 8008,
  bindAddresses: ['127.0.0.1'],
  path: null,
  mode: EVERYONE_MAY,
  tls: false,
  xForwarded: true,
  tag: null,
  requestIdHeader: null,
  resources: ['client', 'federation'],
}

const oneListener: Reading<Listener | null> = {
  shape: fields.shape,
  fallback: null,
  read(value, path, report) {
    const given = fields.read(value, path, report)
    if (given.type === 'manhole' || given.type === 'replication') {
      complain(report, 'note', path, `A listener of type ${given.type} is not needed here and is left out`)
      return null
    }
    const port = given.port === null || given.port < 0 ? null : given.port
    if ((port === null) === (given.path === null)) {
      complain(report, 'error', path, 'A listener needs either a port or a path (of a Unix socket)')
      return null
    }
    if (port !== null && port > 65_535) {
      complain(report, 'error', [...path, 'port'], `There is no port ${port}; ports go up to 65535`)
      return null
    }
    const addresses = [...given.bindAddresses, ...(given.bindAddress === null ? [] : [given.bindAddress])]
    return {
      port,
      path: given.path,
      bindAddresses: addresses.length > 0 ? addresses.map((address) => address || '0.0.0.0') : EVERY_ADDRESS,
      mode: modeOf(value, given.mode, [...path, 'mode'], report),
      tls: given.tls,
      xForwarded: given.xForwarded,
      tag: given.tag,
      requestIdHeader: given.requestIdHeader,
      resources: given.type === 'metrics' ? ['metrics'] : [...new Set(given.resources.flatMap(({ names }) => names))],
    }
  },
}

/** YAML 1.1 reads `0660` as an octal number; in quotes it comes as text, and is octal all the same. */
function modeOf(listener: unknown, given: string | null, path: Path, report: Parameters<typeof complain>[0]): number {
  if (given === null || given === '') return EVERYONE_MAY
  const raw = (listener as { mode?: unknown }).mode
  const mode = typeof raw === 'number' ? raw : Number.parseInt(given.replace(/^0o/, ''), 8)
  if (Number.isInteger(mode) && mode >= 0 && mode <= 0o777) return mode
  complain(report, 'error', path, `The mode of a Unix socket is written as 0660 or 0666, not ${given}`)
  return EVERYONE_MAY
}

const listeners = list(oneListener)

export const listenerOption: Reading<readonly Listener[]> = {
  shape: listeners.shape,
  fallback: [localListener],
  read(value, path, report) {
    if (value === null) return [localListener]
    const errors = (): number => report.findings.filter(({ level }) => level === 'error').length
    const before = errors()
    const found = listeners.read(value, path, report).filter((listener) => listener !== null)
    if (found.length === 0 && errors() === before) complain(report, 'error', path, 'There is no listener of type http, so nobody could connect')
    return found
  },
}
