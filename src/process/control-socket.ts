import { createHash } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { IDLE_TIMEOUT_SECONDS, type Handler } from '#process/listen.ts'

/** A Unix socket's path fits into 108 bytes on Linux and 104 on macOS, its end included. */
const SOCKET_PATH_LIMIT_BYTES = 100
const OWNER_ONLY_SOCKET = 0o600
const ONE_SECOND_MS = 1_000

/** Where the control socket of a data folder is: in it, or in a folder of its owner's when that path is too long. */
export function controlSocketPath(dataDir: string): string {
  const inside = join(dataDir, 'control.sock')
  if (Buffer.byteLength(inside) <= SOCKET_PATH_LIMIT_BYTES) return inside
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16)
  return join(tmpdir(), `warren-${process.getuid?.() ?? 0}`, `${name}.sock`)
}

/** Serves the control socket for the owner of the data folder alone. */
export function openControlSocket(dataDir: string, handle: Handler): { stop(): Promise<void> } {
  const path = controlSocketPath(dataDir)
  const folder = join(path, '..')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (folder !== dataDir && lstatSync(folder).uid !== (process.getuid?.() ?? 0)) {
    throw new Error(`${folder} belongs to someone else, so the control socket cannot be there`)
  }
  // The data folder is ours alone by now, so a socket that lies here was left by a server that was killed.
  rmSync(path, { force: true })
  // Until the mode is set, 0755 lets no one else connect either: that needs the right to write.
  const options: object = { unix: path, idleTimeout: IDLE_TIMEOUT_SECONDS, development: false, fetch: handle }
  const server = Bun.serve(options as Bun.Serve.Options<undefined>)
  chmodSync(path, OWNER_ONLY_SOCKET)
  return { stop: () => Promise.race([server.stop(), Bun.sleep(ONE_SECOND_MS)]).then(() => server.stop(true)) }
}

/** Sends a request over the control socket; null when nobody listens there. */
export async function askControlSocket(dataDir: string, target: string, init: RequestInit = {}): Promise<Response | null> {
  const path = controlSocketPath(dataDir)
  if (!existsSync(path)) return null
  try {
    return await fetch(`http://control.local${target}`, { ...init, unix: path })
  } catch (failure) {
    const code = (failure as { code?: string }).code
    if (code === 'ConnectionRefused' || code === 'FailedToOpenSocket' || code === 'ENOENT' || code === 'ECONNREFUSED') return null
    throw failure
  }
}
