/** This database is not opened; the sentence says why and what to do. Nothing in it was changed. */
export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused'
  /** The command line shows such a failure like one of the operating system, by its sentence alone. */
  readonly code = 'EDATABASE'
}
