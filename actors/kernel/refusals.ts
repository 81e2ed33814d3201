import { limitExceeded, MatrixError } from '#schema/matrix-error.ts'

const RETRY_AFTER_MS = 1_000

export const mailboxFull = (): MatrixError =>
  limitExceeded('Too many requests are waiting here; try again in a moment', RETRY_AFTER_MS, 503)

export const stopped = (): MatrixError =>
  limitExceeded('The server is stopping; try again in a moment', RETRY_AFTER_MS, 503)

export const killed = (): MatrixError =>
  new MatrixError(503, 'M_UNKNOWN', 'This part of the server was restarted; try again')

export const setAside = (): MatrixError => {
  const why = 'This part of the server is set aside after repeated failures; an admin can see why in the log'
  return new MatrixError(503, 'M_UNKNOWN', why)
}

export const tooLate = (): MatrixError =>
  new MatrixError(504, 'M_UNKNOWN', 'The server did not decide in time; try again')

export const internalError = (): MatrixError =>
  new MatrixError(500, 'M_UNKNOWN', 'Internal error; the server log has the details')

/** The journal may word its own refusal, such as a full disk. */
export function notWritten(failure: unknown): MatrixError {
  if (failure instanceof MatrixError) return failure
  return new MatrixError(500, 'M_UNKNOWN', 'The change could not be written; nothing was kept')
}
