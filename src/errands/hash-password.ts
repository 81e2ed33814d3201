import { limitExceeded } from '#schema/matrix-error.ts'

/** Each takes 19 MiB while it runs: a login storm must not cost a small machine its memory. */
export const HASHES_AT_ONCE = 2
/** Logins that may wait for their turn; the next one is refused. */
export const HASHES_WAITING = 100
/** Characters of a password. */
export const PASSWORD_LIMIT = 512
const RETRY_AFTER_MS = 2_000

const OPTIONS = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const
/** How hashes begin that were made with these options. */
const OURS = '$argon2id$v=19$m=19456,t=2,p=1$'
/** What bcrypt reads of its input; the reference server cuts there. */
const BCRYPT_BYTES = 72

export type Checked = Readonly<{
  isRight: boolean
  /** A better hash of the same password, to be kept in place of the old one. */
  rehashed: string | null
}>

/**
 * A hash to be kept. `pepper` is the secret of `password_config.pepper`, or null. Throws `M_LIMIT_EXCEEDED` when too
 * many wait.
 */
export const hashPassword = (password: string, pepper: string | null): Promise<string> =>
  inTurn(() => Bun.password.hash(prepare(password, pepper), OPTIONS))

/**
 * Whether this is the password behind `hash`: one of ours, or a bcrypt hash of the reference server. A hash that can no
 * longer be read counts as wrong. Throws `M_LIMIT_EXCEEDED` when too many wait.
 */
export const checkPassword = (password: string, hash: string, pepper: string | null): Promise<Checked> =>
  inTurn(async () => {
    if (password === '' || password.length > PASSWORD_LIMIT || !(await matches(prepare(password, pepper), hash)))
      return { isRight: false, rehashed: null }
    if (hash.startsWith(OURS)) return { isRight: true, rehashed: null }
    return { isRight: true, rehashed: await Bun.password.hash(prepare(password, pepper), OPTIONS) }
  })

const prepare = (password: string, pepper: string | null): string => password.normalize('NFKC') + (pepper ?? '')

async function matches(prepared: string, hash: string): Promise<boolean> {
  const isBcrypt = /^\$2[aby]\$/.test(hash)
  try {
    return await Bun.password.verify(isBcrypt ? Buffer.from(prepared).subarray(0, BCRYPT_BYTES) : prepared, hash)
  } catch {
    return false
  }
}

// One queue for the process, since it is the machine's memory that is short.
let running = 0
const waiting: (() => void)[] = []

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= HASHES_AT_ONCE) {
    if (waiting.length >= HASHES_WAITING)
      throw limitExceeded('Too many people are logging in; try again in a moment', RETRY_AFTER_MS)
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else {
    running++
  }
  try {
    return await work()
  } finally {
    // The place is handed on as it is, so that nobody slips in between.
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}
