import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session, SyncAnswer } from '#harness/http-client.ts'
import { createRoom, register, sendText, sync } from '#harness/http-client.ts'
import type { ServerProcess } from '#harness/warren-process.ts'
import { freePort, startServer } from '#harness/warren-process.ts'

const caddy = Bun.which('caddy')
const recipe = join(import.meta.dir, '..', '..', 'scripts', 'packaging', 'Caddyfile')
const START_LIMIT_MS = 30_000
setDefaultTimeout(START_LIMIT_MS)
const LARGE_BYTES = 20 * 1024 * 1024
const PASSWORD = 'correct horse battery staple'

if (caddy === null) console.warn('caddy.test.ts is skipped: there is no caddy on this machine (apt-get install caddy)')

let server: ServerProcess
let proxy: Proxy
let alice: Session
let bob: Session

type Proxy = { readonly url: string; readonly authority: string; readonly end: () => Promise<void> }

/** The shipped Caddyfile with this machine's names in it, and Caddy as its own certificate authority. */
function localRecipe(proxyPort: number, serverPort: number): string {
  const text = readFileSync(recipe, 'utf8')
    .replaceAll('# tls internal', 'tls internal')
    .replaceAll('127.0.0.1:8008', `127.0.0.1:${serverPort}`)
    .replaceAll('matrix.example.org', `https://localhost:${proxyPort}`)
  const ports = [`http_port ${freePort()}`, `https_port ${proxyPort}`]
  const here = ['admin off', 'skip_install_trust', 'auto_https disable_redirects', ...ports]
  return `{\n\t${here.join('\n\t')}\n}\n${text}`
}

async function startCaddy(serverPort: number): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-caddy-'))
  const port = freePort()
  writeFileSync(join(directory, 'Caddyfile'), localRecipe(port, serverPort))
  const child = Bun.spawn([caddy ?? 'caddy', 'run', '--config', 'Caddyfile', '--adapter', 'caddyfile'], {
    cwd: directory,
    env: { ...process.env, HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
    stdout: 'ignore',
    stderr: Bun.file(join(directory, 'caddy.log')),
  })
  const end = async (): Promise<void> => {
    child.kill()
    await child.exited
    rmSync(directory, { recursive: true, force: true })
  }
  const root = join(directory, 'caddy', 'pki', 'authorities', 'local', 'root.crt')
  const url = `https://localhost:${port}`
  const deadline = performance.now() + START_LIMIT_MS
  while (!(existsSync(root) && await answers(url, readFileSync(root, 'utf8')))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      const said = readFileSync(join(directory, 'caddy.log'), 'utf8')
      await end()
      throw new Error(`Caddy does not serve:\n${said}`)
    }
    await Bun.sleep(50)
  }
  return { url, authority: readFileSync(root, 'utf8'), end }
}

function answers(url: string, authority: string): Promise<boolean> {
  return fetch(`${url}/_matrix/client/versions`, { tls: { ca: authority } }).then((response) => response.ok, () => false)
}

type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown }

async function throughCaddy(method: string, path: string, token?: string, body?: string): Promise<Answer> {
  const response = await fetch(proxy.url + path, {
    method,
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    body: body ?? null,
    tls: { ca: proxy.authority },
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

describe.skipIf(caddy === null)('behind Caddy with the shipped Caddyfile', () => {
  beforeAll(async () => {
    server = await startServer({})
    proxy = await startCaddy(server.port)
    alice = await register(server.url, 'alice', PASSWORD)
    bob = await register(server.url, 'bob', PASSWORD)
  })

  afterAll(async () => {
    await proxy.end()
    await server.remove()
  })

  test('a user signs in', async () => {
    const identifier = { type: 'm.id.user', user: 'alice' }
    const body = JSON.stringify({ type: 'm.login.password', identifier, password: PASSWORD })
    const login = await throughCaddy('POST', '/_matrix/client/v3/login', undefined, body)
    expect(login).toMatchObject({ status: 200, body: { user_id: `@alice:${server.serverName}` } })
  })

  test('a waiting /sync is answered when a message comes, and not before', async () => {
    const roomId = await createRoom(bob)
    const { next_batch: since } = await sync(bob)
    const path = `/_matrix/client/v3/sync?timeout=20000&since=${encodeURIComponent(since)}`
    const waiting = throughCaddy('GET', path, bob.accessToken).then((answer) => ({ ...answer, at: performance.now() }))
    await Bun.sleep(700)
    const sentAt = performance.now()
    await sendText(bob, roomId, 'one', 'through the wall')
    const answer = await waiting
    const timeline = (answer.body as SyncAnswer).rooms?.join?.[roomId]?.timeline?.events ?? []
    expect(timeline.map(({ content }) => content['body'])).toEqual(['through the wall'])
    expect(answer.at - sentAt).toBeWithin(0, 2000)
  })

  test('a /sync in which nothing happens is answered at its timeout', async () => {
    const { next_batch: first } = await sync(alice)
    const { next_batch: since } = await sync(alice, { since: first })
    const began = performance.now()
    const path = `/_matrix/client/v3/sync?timeout=1500&since=${encodeURIComponent(since)}`
    const answer = await throughCaddy('GET', path, alice.accessToken)
    expect(answer).toMatchObject({ status: 200, body: { next_batch: expect.any(String) } })
    expect(performance.now() - began).toBeWithin(1400, 4000)
  })

  test('a request of 20 MB where only an event fits is refused in words, and the next one is served', async () => {
    const roomId = await createRoom(alice)
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/large`
    const body = JSON.stringify({ msgtype: 'm.text', body: 'x'.repeat(LARGE_BYTES) })
    const refused = await throughCaddy('PUT', path, alice.accessToken, body)
    expect(refused).toMatchObject({ status: 413, body: { errcode: 'M_TOO_LARGE' } })
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBe('*')
    expect(await throughCaddy('GET', '/_matrix/client/v3/account/whoami', alice.accessToken)).toMatchObject({ status: 200 })
  })
})
