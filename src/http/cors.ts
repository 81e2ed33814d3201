/**
 * Every answer, errors and redirects included, may be read by web clients.
 * spec: client-server-api#web-browser-clients
 */
export const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH',
  'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization, Date',
  'access-control-expose-headers': 'ETag, X-Request-Id, Retry-After',
} as const

/** Answers are one client's alone, and may hold tokens. */
export const JSON_HEADERS = { ...CORS_HEADERS, 'content-type': 'application/json', 'cache-control': 'no-store' } as const

/** The answer to a preflight: before any authentication, for every path. */
export const preflight = (): Response => new Response(null, { status: 204, headers: CORS_HEADERS })
