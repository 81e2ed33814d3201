import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'

import { ConfigError } from './problem.ts'
import { writeSecretFile } from './secrets.ts'

/** A key that signs events: `keyId` such as `ed25519:a_k3Xw`, and the 32 bytes it is made of. */
export type SigningKeySeed = Readonly<{ keyId: string; seed: Uint8Array }>

const SEED_BYTES = 32
const LINE = /^ed25519\s+([A-Za-z0-9_]+)\s+([A-Za-z0-9+/]+={0,2})$/

/** Makes a new key in the form of Synapse's file: `ed25519 a_XXXX <unpadded base64>` and a line end. */
export function newSigningKeyLine(): string {
  const version = `a_${randomBytes(8).toString('base64').replace(/[^A-Za-z0-9]/g, '').slice(0, 4).padEnd(4, 'x')}`
  return `ed25519 ${version} ${randomBytes(SEED_BYTES).toBase64({ omitPadding: true })}\n`
}

/** Reads the keys of a file, one a line; the first one signs. Throws ConfigError when a line is no key. */
export function readSigningKeys(path: string): readonly [SigningKeySeed, ...SigningKeySeed[]] {
  const lines = readFileSync(path, 'utf8').split('\n').map((line) => line.trim()).filter((line) => line !== '')
  const keys = lines.map((line, index) => {
    const [, version, base64] = LINE.exec(line) ?? []
    const seed = base64 === undefined ? undefined : Uint8Array.fromBase64(base64)
    if (version === undefined || seed?.length !== SEED_BYTES) {
      throw new ConfigError([
        `${path}:${index + 1}: a signing key is a line such as "ed25519 a_AbCd" and 43 letters of base64`,
        'Put the one of your backup there; where there is none, remove the file and start again: what to do then is said',
      ])
    }
    return { keyId: `ed25519:${version}`, seed }
  })
  const [first, ...others] = keys
  if (first === undefined) throw new ConfigError([`There is no signing key in ${path}; remove the empty file to get one`])
  return [first, ...others]
}

/**
 * The keys of the file, which is made (mode 0600) for a server that has no database yet. Throws ConfigError where the
 * key of a server is gone: under another one, others would not believe what it has said before.
 */
export function openSigningKeys(path: string, databasePath: string): readonly [SigningKeySeed, ...SigningKeySeed[]] {
  if (!existsSync(path)) {
    if ((statSync(databasePath, { throwIfNoEntry: false })?.size ?? 0) > 0) throw keyIsGone(path, databasePath)
    writeSecretFile(path, newSigningKeyLine())
  }
  return readSigningKeys(path)
}

const keyIsGone = (path: string, databasePath: string): ConfigError =>
  new ConfigError([
    `There is no signing key at ${path}, and ${databasePath} holds what was signed with it`,
    'Put the one of your backup there. If it is lost, other servers will no longer believe older events; to begin with',
    `a new one, type: warren generate-signing-key -o ${path}`,
  ])
