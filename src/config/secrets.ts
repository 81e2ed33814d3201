import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { ConfigError } from './problem.ts'

/** Only the owner may read what is kept. */
export const OWNER_ONLY_FILE = 0o600
export const OWNER_ONLY_FOLDER = 0o700

/** A secret that nobody guesses: 256 bits in letters that need no quotes anywhere. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

/** Writes a file that did not exist, readable for its owner alone. Throws when it exists. */
export function writeSecretFile(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_FOLDER })
  writeFileSync(path, content, { mode: OWNER_ONLY_FILE, flag: 'wx' })
  chmodSync(path, OWNER_ONLY_FILE)
}

/** The first line of a secret's file. When it is missing and may be made, it is made; otherwise null. */
export function readSecretFile(path: string, mayMake: boolean): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new ConfigError([`The secret in ${path} cannot be read: ${(failure as Error).message}`])
    }
  }
  if (!mayMake) return null
  const secret = newSecret()
  writeSecretFile(path, `${secret}\n`)
  return secret
}
