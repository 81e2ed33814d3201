/**
 * The `Authorization: X-Matrix …` header of signed requests between servers.
 * spec: server-server-api#request-authentication
 */
import { isServerName, type ServerName } from '#schema/identifiers.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { deny, type Denial } from './verdict.ts'

export type XMatrix = Readonly<{
  origin: ServerName
  /** Left out by servers older than v1.3; where present it has to be us. */
  destination?: ServerName
  /** The id of the signing key, such as `ed25519:key1`. */
  key: string
  /** The signature in unpadded base64. */
  sig: string
}>

/** How long the header may be, in characters. */
export const X_MATRIX_LIMIT = 8192
/** How many signatures one request may carry. */
export const X_MATRIX_SIGNATURES_LIMIT = 10

/**
 * Parses the header: one set of credentials, or several when a proxy has joined headers by commas. All must
 * name the same origin and destination. Parameter names disregard case, values may be quoted with backslash
 * escapes, and white space around commas and equals signs is allowed (G-59). The signature may be called
 * `sig` or `signature`.
 */
export function parseXMatrix(header: string): readonly XMatrix[] | Denial {
  if (header.length > X_MATRIX_LIMIT) return deny('xMatrix.length', 'The Authorization header is too long')
  const sets = splitCredentials(header)
  if (!sets) return deny('xMatrix.syntax', 'The Authorization header is malformed')
  if (sets.length > X_MATRIX_SIGNATURES_LIMIT)
    return deny('xMatrix.signatures', 'The request has too many signatures')
  const credentials: XMatrix[] = []
  for (const parameters of sets) {
    const parsed = credentialsOf(parameters)
    if ('ok' in parsed) return parsed
    credentials.push(parsed)
  }
  const first = credentials[0]
  const isOneSender = credentials.every(
    ({ origin, destination }) => origin === first?.origin && destination === first.destination,
  )
  return isOneSender ? credentials : deny('xMatrix.origin', 'The signatures are from different servers')
}

const SCHEME = /[ \t]*X-Matrix[ \t]+/iy
const PARAMETER =
  /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\[^])*)"|([^\s",\\]*))[ \t]*/y
const COMMAS = /[ \t]*(?:,[ \t]*)+/y
const TRAILING = /[ \t,]*$/y

/**
 * The parameters of each set of credentials; undefined if the header is malformed or names a parameter twice.
 */
function splitCredentials(header: string): Map<string, string>[] | undefined {
  const sets: Map<string, string>[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(header)
    if (match) at = pattern.lastIndex
    return match
  }
  while (!take(TRAILING) || sets.length === 0) {
    if (sets.length > 0 && !take(COMMAS)) return undefined
    if (take(SCHEME)) sets.push(new Map())
    const current = sets.at(-1)
    const [, name, quoted, plain] = take(PARAMETER) ?? []
    if (!current || name === undefined || current.has(name.toLowerCase())) return undefined
    current.set(name.toLowerCase(), quoted?.replace(/\\([^])/g, '$1') ?? plain ?? '')
  }
  return sets
}

function credentialsOf(parameters: ReadonlyMap<string, string>): XMatrix | Denial {
  const origin = parameters.get('origin')
  const destination = parameters.get('destination')
  const key = parameters.get('key')
  const sig = parameters.get('sig') ?? parameters.get('signature')
  if (!origin || !key || !sig) return deny('xMatrix.missing', 'The header lacks origin, key or sig')
  if (!isServerName(origin)) return deny('xMatrix.origin', 'The origin is no server name')
  if (destination === undefined) return { origin, key, sig }
  if (!isServerName(destination)) return deny('xMatrix.destination', 'The destination is no server name')
  return { origin, destination, key, sig }
}

/** Prints the header in the form that all servers understand: one space, lower case, quotes, no escapes. */
export function printXMatrix({ origin, destination, key, sig }: XMatrix): string {
  const to = destination === undefined ? '' : `destination="${destination}",`
  return `X-Matrix origin="${origin}",${to}key="${key}",sig="${sig}"`
}

/**
 * The object that is signed and verified. `uri` is the request target as it stands in the request, with its
 * query and percent-encoding untouched. `content` is undefined for a request without a body, which is not the
 * same as `{}`.
 */
export const requestToSign = (
  request: Readonly<{
    method: string
    uri: string
    origin: ServerName
    destination?: ServerName | undefined
    content?: Json | undefined
  }>,
): JsonObject => ({
  method: request.method,
  uri: request.uri,
  origin: request.origin,
  ...(request.destination === undefined ? {} : { destination: request.destination }),
  ...(request.content === undefined ? {} : { content: request.content }),
})
