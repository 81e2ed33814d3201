import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Tries the executables in dist/ that this machine can run, each in a folder of its own: start, register, send, sync,
 * stop. Leaves with 1 when one fails.
 *
 * bun scripts/smoke.ts [FILE …]
 */

const dist = join(import.meta.dir, '..', 'dist')
const EMULATOR = Bun.which('qemu-aarch64-static')
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu'
/** An emulated start takes ten times as long. */
const START_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 20_000
const POLL_MS = 50

type Candidate = Readonly<{ file: string; command: readonly string[] }>

function candidates(): readonly Candidate[] {
  const native = join(dist, `warren-${process.platform}-${process.arch}`)
  const arm64 = join(dist, 'warren-linux-arm64')
  const found: Candidate[] = existsSync(native) ? [{ file: native, command: [native] }] : []
  if (arm64 === native || !existsSync(arm64)) return found
  if (EMULATOR === null || !existsSync(ARM64_LIBRARIES)) {
    console.log(`${arm64}: not tried (that needs the Debian packages qemu-user-static and libc6-arm64-cross)`)
    return found
  }
  return [...found, { file: arm64, command: [EMULATOR, '-L', ARM64_LIBRARIES, arm64] }]
}

function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  listener.stop(true)
  return listener.port
}

type Call = (method: string, path: string, body?: object) => Promise<Record<string, unknown>>

/** Calls the server; a refusal ends the trial. */
const caller = (url: string, token?: string): Call => async (method, path, body) => {
  const response = await fetch(`${url}/_matrix/client/v3${path}`, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
  return answer
}

async function untilAnswering(url: string, isRunning: () => boolean): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS
  while (Date.now() < deadline) {
    if (!isRunning()) throw new Error('it ended at once')
    if (await fetch(`${url}/health`).then(({ ok }) => ok, () => false)) return
    await Bun.sleep(POLL_MS)
  }
  throw new Error(`it does not answer within ${START_LIMIT_MS / 1000} seconds`)
}

async function talk(url: string): Promise<void> {
  const auth = { type: 'm.login.dummy' }
  const { access_token: token } = await caller(url)('POST', '/register', { username: 'alice', password: 'correct horse battery', auth })
  const call = caller(url, String(token))
  const { room_id: room } = await call('POST', '/createRoom', { name: 'smoke' })
  const content = { msgtype: 'm.text', body: 'hello' }
  const { event_id: sent } = await call('PUT', `/rooms/${encodeURIComponent(String(room))}/send/m.room.message/1`, content)
  const sync = await call('GET', '/sync')
  if (!JSON.stringify(sync).includes(String(sent))) throw new Error(`/sync does not show ${sent}`)
}

async function trial({ file, command }: Candidate): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'warren-smoke-'))
  const port = freePort()
  const url = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'homeserver.yaml'), JSON.stringify({
    server_name: `127.0.0.1:${port}`,
    listeners: [{ port, bind_addresses: ['127.0.0.1'], resources: [{ names: ['client', 'federation'] }] }],
    enable_registration: true,
    enable_registration_without_verification: true,
    trusted_key_servers: [],
  }))
  const began = Date.now()
  const child = Bun.spawn([...command, 'serve'], { cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  try {
    await untilAnswering(url, () => child.exitCode === null && child.signalCode === null)
    const startedMs = Date.now() - began
    await talk(url)
    child.kill('SIGTERM')
    const code = await Promise.race([child.exited, Bun.sleep(STOP_LIMIT_MS).then(() => 'late')])
    if (code !== 0) throw new Error(`it stopped with ${code}`)
    console.log(`${file}: fine (first answer after ${startedMs} ms)`)
    return true
  } catch (failure) {
    child.kill('SIGKILL')
    console.log(`${file}: ${String(failure instanceof Error ? failure.message : failure)}`)
    console.log(`${await child.stdout.text()}${await child.stderr.text()}`.trim())
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const named = process.argv.slice(2).map((file) => ({ file, command: [resolve(file)] }))
const results: boolean[] = []
for (const candidate of named.length > 0 ? named : candidates()) results.push(await trial(candidate))
if (results.length === 0) console.log('There is nothing to try in dist/; build it first')
process.exit(results.length > 0 && results.every(Boolean) ? 0 : 1)
