/**
 * A refusal that a client is told about: an HTTP status, the spec's code and a sentence that says what to do.
 * spec: client-server-api#standard-error-response
 */
export class MatrixError extends Error {
  override readonly name = 'MatrixError'
  constructor(
    readonly status: number,
    readonly errcode: string,
    message: string,
    /** Further keys of the body, such as `retry_after_ms` or `soft_logout`. */
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }

  toJSON(): Record<string, unknown> {
    return { ...this.extra, errcode: this.errcode, error: this.message }
  }
}

type Extra = Readonly<Record<string, unknown>>

export const forbidden = (why: string): MatrixError => new MatrixError(403, 'M_FORBIDDEN', why)
export const notInRoom = (): MatrixError => forbidden('You are not in this room')
export const notFound = (why: string): MatrixError => new MatrixError(404, 'M_NOT_FOUND', why)
export const unrecognized = (why: string, status: 400 | 404 | 405 = 404): MatrixError =>
  new MatrixError(status, 'M_UNRECOGNIZED', why)
export const badJson = (why: string): MatrixError => new MatrixError(400, 'M_BAD_JSON', why)
export const notJson = (why: string): MatrixError => new MatrixError(400, 'M_NOT_JSON', why)
export const invalidParam = (why: string): MatrixError => new MatrixError(400, 'M_INVALID_PARAM', why)
export const missingParam = (why: string): MatrixError => new MatrixError(400, 'M_MISSING_PARAM', why)
export const unknown = (why: string, status = 400): MatrixError => new MatrixError(status, 'M_UNKNOWN', why)
export const missingToken = (why = 'Missing access token'): MatrixError =>
  new MatrixError(401, 'M_MISSING_TOKEN', why)
export const unknownToken = (why: string, extra: Extra = {}): MatrixError =>
  new MatrixError(401, 'M_UNKNOWN_TOKEN', why, extra)
export const userInUse = (why: string): MatrixError => new MatrixError(400, 'M_USER_IN_USE', why)
export const invalidUsername = (why: string): MatrixError => new MatrixError(400, 'M_INVALID_USERNAME', why)
export const userDeactivated = (why: string): MatrixError => new MatrixError(403, 'M_USER_DEACTIVATED', why)
export const roomInUse = (why: string): MatrixError => new MatrixError(400, 'M_ROOM_IN_USE', why)
export const badState = (why: string): MatrixError => new MatrixError(400, 'M_BAD_STATE', why)
export const badAlias = (why: string): MatrixError => new MatrixError(400, 'M_BAD_ALIAS', why)
export const weakPassword = (why: string): MatrixError => new MatrixError(400, 'M_WEAK_PASSWORD', why)
export const tooLarge = (why: string): MatrixError => new MatrixError(413, 'M_TOO_LARGE', why)
export const invalidRoomState = (why: string): MatrixError => new MatrixError(400, 'M_INVALID_ROOM_STATE', why)
export const unsupportedRoomVersion = (why: string): MatrixError =>
  new MatrixError(400, 'M_UNSUPPORTED_ROOM_VERSION', why)
/** spec: client-server-api#rate-limiting. `retryAfterMs` is also sent as the `Retry-After` header. */
export const limitExceeded = (why: string, retryAfterMs: number, status: 429 | 503 = 429): MatrixError =>
  new MatrixError(status, 'M_LIMIT_EXCEEDED', why, { retry_after_ms: Math.ceil(retryAfterMs) })
