import { MatrixError } from '#schema/matrix-error.ts'
import { JSON_HEADERS } from './cors.ts'

/** The one place where a failure becomes a response. spec: client-server-api#standard-error-response */
export function errorResponse(error: unknown, bug: (error: unknown) => void): Response {
  if (!(error instanceof MatrixError)) {
    bug(error)
    return errorResponse(new MatrixError(500, 'M_UNKNOWN', 'Internal error; the server log has the details'), bug)
  }
  const retryAfterMs = error.extra.retry_after_ms
  const headers = typeof retryAfterMs === 'number' ? { ...JSON_HEADERS, 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : JSON_HEADERS
  return new Response(JSON.stringify(error), { status: error.status, headers })
}
