import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ConfigError, loadConfig } from '#config'
import { connectionOf } from '#http/connection.ts'
import { listen, REQUEST_BODY_LIMIT_BYTES, REQUEST_HEADER_LIMIT_BYTES, type Handler, type Listening } from '#process/listen.ts'
import { clientAddress, networkMatcher, plainAddress } from '#process/address.ts'
import { pathFilter } from '#process/resources.ts'

const folder = mkdtempSync(join(tmpdir(), 'warren-listen-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const said: string[] = []
const log = {
  warn: (_: object, message: string) => void said.push(message),
  error: (_: object, message: string) => void said.push(message),
}

/** Answers with what a route would know. */
const echo: Handler = (request) => {
  const { address, isSecure } = connectionOf(request)
  return Response.json({ path: new URL(request.url).pathname, address, isSecure })
}

const open: Listening[] = []
afterEach(async () => {
  for (const listening of open.splice(0)) await listening.stop()
  said.length = 0
})

type Settings = Readonly<Record<string, unknown>>
const RESOURCES = [{ names: ['client', 'federation'] }]
const onLoopback = { port: 0, bind_addresses: ['127.0.0.1'], resources: RESOURCES }

async function start(settings: Settings, handle: Handler = echo): Promise<Listening & { url: string }> {
  const listening = await listen(loadConfig(undefined, { listeners: [onLoopback], ...settings }), handle, log)
  open.push(listening)
  return { ...listening, url: listening.addresses[0] ?? '' }
}

const VERSIONS = '/_matrix/client/versions'

/** Sends bytes as they are and answers with what comes back. */
function raw(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => socket.write(request))
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')))
    socket.on('data', (chunk) => void (text += chunk.toString()))
    socket.on('error', reject).on('close', () => resolve(text))
  })
}

describe('a listener', () => {
  test('serves what its resources name, and health', async () => {
    const { url } = await start({ listeners: [{ ...onLoopback, resources: [{ names: ['federation'] }] }] })
    const statuses = await Promise.all(['/_matrix/federation/v1/version', '/health', VERSIONS, '/', '/_synapse/admin/v1/x']
      .map(async (path) => (await fetch(url + path)).status))
    expect(statuses).toEqual([200, 200, 404, 404, 404])
    expect(await (await fetch(`${url}/health`)).text()).toBe('OK')
  })

  test('refuses what it does not serve in the words of the specification', async () => {
    const { url } = await start({ listeners: [{ ...onLoopback, resources: [{ names: ['keys'] }] }] })
    expect(await (await fetch(url + VERSIONS)).json())
      .toEqual({ errcode: 'M_UNRECOGNIZED', error: 'This address does not serve that' })
  })

  test('lets web clients ask beforehand, and read the refusal, also where it serves nothing', async () => {
    const { url } = await start({})
    const [asked, refused] = await Promise.all([fetch(`${url}/_matrix/x`, { method: 'OPTIONS' }), fetch(`${url}/_matrix/x`)])
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([404, '*'])
  })

  test.each([
    ['a host of three letters', 'GET /_matrix/client/a/b HTTP/1.1\r\nHost: a.b\r\nConnection: close\r\n\r\n'],
    ['a host of one letter', 'GET /_matrix/client/a/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['no host at all (HTTP/1.0)', 'GET /_matrix/client/a/b HTTP/1.0\r\n\r\n'],
  ])('understands %s', async (_, request) => {
    const { url } = await start({})
    expect(await raw(url, request)).toContain('{"path":"/_matrix/client/a/b"')
  })

  test('answers 500 in JSON, and logs, when all else fails', async () => {
    const { url } = await start({}, () => { throw new Error('a bug') })
    const response = await fetch(url + VERSIONS)
    expect([response.status, await response.json()]).toEqual([500, { errcode: 'M_UNKNOWN', error: 'Internal server error' }])
    expect(said).toEqual(['a request failed outside every route'])
  })

  test('refuses headers beyond the limit', async () => {
    const { url } = await start({})
    const tooLong = 'x'.repeat(REQUEST_HEADER_LIMIT_BYTES)
    expect((await fetch(url + VERSIONS, { headers: { 'x-long': tooLong } })).status).toBe(431)
    expect((await fetch(url + VERSIONS, { headers: { 'x-long': tooLong.slice(1024) } })).status).toBe(200)
  })

  test('refuses bodies that are larger than any may be', async () => {
    const { url } = await start({ max_upload_size: '1M' }, async (request) => Response.json((await request.bytes()).length))
    const send = async (size: number): Promise<number> =>
      (await fetch(url + VERSIONS, { method: 'POST', body: new Uint8Array(size) })).status
    expect(await send(REQUEST_BODY_LIMIT_BYTES)).toBe(200)
    expect(await send(REQUEST_BODY_LIMIT_BYTES + 1)).toBe(413)
  })

  test('says which port is taken, and leaves none of the others open', async () => {
    const { url } = await start({})
    const taken = Number(new URL(url).port)
    const free = { ...onLoopback, path: join(folder, 'left.sock'), port: null, bind_addresses: [] }
    await expect(start({ listeners: [free, { ...onLoopback, port: taken }] })).rejects.toThrow(`Cannot listen on 127.0.0.1:${taken}: another program does.`)
    await Bun.sleep(50)
    await expect(fetch(`http://localhost${VERSIONS}`, { unix: join(folder, 'left.sock') })).rejects.toThrow()
  })

  test('on every address serves both families with one port', async () => {
    const probe = await start({})
    const port = Number(new URL(probe.url).port)
    await probe.stop()
    const { addresses } = await start({ listeners: [{ port, resources: RESOURCES }] })
    expect(addresses[0]).toMatch(new RegExp(`^http://(\\[::\\]|0\\.0\\.0\\.0):${port}$`))
    expect((await fetch(`http://127.0.0.1:${port}${VERSIONS}`)).status).toBe(200)
  })
})

describe('a Unix socket', () => {
  test('has the mode of the configuration and trusts who speaks through it', async () => {
    const path = join(folder, 'client.sock')
    await start({ listeners: [{ path, mode: '0660', x_forwarded: true, resources: RESOURCES }] })
    expect(statSync(path).mode & 0o777).toBe(0o660)
    const headers = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https' }
    expect(await (await fetch(`http://localhost${VERSIONS}`, { unix: path, headers })).json())
      .toEqual({ path: VERSIONS, address: '192.0.2.7', isSecure: true })
  })
})

describe('where a client is', () => {
  const isTrusted = networkMatcher(['127.0.0.0/8', '10.0.0.0/8', '::1/128', '192.0.2.9'])

  test.each([
    ['the peer, when no header is sent', '198.51.100.1', null, '198.51.100.1'],
    ['the peer, when it is not trusted', '198.51.100.1', '203.0.113.5', '198.51.100.1'],
    ['what a trusted proxy says', '127.0.0.1', '203.0.113.5', '203.0.113.5'],
    ['not what the client itself put before', '127.0.0.1', '1.2.3.4, 203.0.113.5', '203.0.113.5'],
    ['behind a chain of trusted proxies', '127.0.0.1', '203.0.113.5, 10.1.2.3, 192.0.2.9', '203.0.113.5'],
    ['the first proxy, when all are trusted', '127.0.0.1', '10.1.1.1', '10.1.1.1'],
    ['the last good address before rubbish', '127.0.0.1', 'rubbish, 10.1.1.1', '10.1.1.1'],
    ['the peer, when the header is rubbish', '127.0.0.1', 'unknown', '127.0.0.1'],
    ['v6 with brackets and port', '127.0.0.1', '[2001:DB8::5]:443', '2001:db8::5'],
    ['v4 with a port', '127.0.0.1', '203.0.113.5:9999', '203.0.113.5'],
    ['v4 in v6 is v4', '::ffff:127.0.0.1', '::ffff:203.0.113.5', '203.0.113.5'],
    ['a Unix socket without a header is this machine', null, null, '127.0.0.1'],
  ])('%s', (_, peer, forwarded, expected) => expect(clientAddress(peer, forwarded, isTrusted)).toBe(expected))

  test.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['172.16.0.0/12', '172.31.255.255', true],
    ['172.16.0.0/12', '172.32.0.0', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['fe80::/10', 'febf::1%eth0', true],
    ['127.0.0.1', '::ffff:127.0.0.1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['not a network', '127.0.0.1', false],
  ])('%s and %s: %p', (network, address, expected) => expect(networkMatcher([network])(address)).toBe(expected))

  test.each([
    ['an address', '192.0.2.1', '192.0.2.1'],
    ['one with spaces', ' 192.0.2.1 ', '192.0.2.1'],
    ['a name', 'a.example', undefined],
    ['nothing', '', undefined],
  ])('%s in plain form', (_, address, expected) => expect(plainAddress(address)).toBe(expected as string))

  test('headers count only on a listener with x_forwarded', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.5' }
    const without = await start({ listeners: [{ ...onLoopback, x_forwarded: false }] })
    expect(await (await fetch(without.url + VERSIONS, { headers })).json()).toMatchObject({ address: '127.0.0.1', isSecure: false })
    const withIt = await start({ listeners: [{ ...onLoopback, x_forwarded: true }] })
    expect(await (await fetch(withIt.url + VERSIONS, { headers })).json()).toMatchObject({ address: '203.0.113.5' })
  })

  test('a proxy that is not trusted is told of once', async () => {
    const { url } = await start({ listeners: [{ ...onLoopback, x_forwarded: true }], trusted_proxies: ['192.0.2.1'] })
    const headers = { 'x-forwarded-for': '203.0.113.5' }
    for (let count = 0; count < 2; count++) {
      expect(await (await fetch(url + VERSIONS, { headers })).json()).toMatchObject({ address: '127.0.0.1' })
    }
    expect(said).toEqual(['127.0.0.1 sends X-Forwarded-For and is not among trusted_proxies, so the header is ignored'])
  })
})

describe('resources', () => {
  test.each([
    ['client', '/_matrix/client/v3/sync', true],
    ['client', '/_matrix/media/v3/config', true],
    ['client', '/.well-known/matrix/client', true],
    ['client', '/_synapse/admin/v1/register', true],
    ['client', '/_matrix/federation/v1/version', false],
    ['client', '/_matrix/clientele', false],
    ['federation', '/_matrix/key/v2/server', true],
    ['federation', '/_matrix/client/versions', false],
    ['keys', '/_matrix/federation/v1/version', false],
    ['openid', '/_matrix/federation/v1/openid/userinfo', true],
    ['metrics', '/_synapse/metrics', true],
    ['metrics', '/metrics', true],
    ['client', '/metrics', false],
    ['client', '/_synapse/metrics', false],
    ['replication', '/_synapse/replication', false],
  ] as const)('%s and %s: %p', (name, path, expected) => expect(pathFilter([name])(path)).toBe(expected))
})

describe('stopping', () => {
  test('lets requests finish and takes no more', async () => {
    const { url, stop } = await start({}, async () => {
      await Bun.sleep(200)
      return new Response('done')
    })
    const slow = fetch(url + VERSIONS).then((response) => response.text())
    await Bun.sleep(50)
    const stopped = stop()
    await Bun.sleep(20)
    await expect(fetch(url + VERSIONS, { keepalive: false })).rejects.toThrow()
    expect(await slow).toBe('done')
    await stopped
  })

  test('wakes long polls first', async () => {
    const { promise, resolve } = Promise.withResolvers<Response>()
    const { url, stop } = await start({}, (request) => {
      connectionOf(request).keepOpen()
      return promise
    })
    const poll = fetch(url + VERSIONS).then((response) => response.text())
    await Bun.sleep(50)
    await stop(() => resolve(new Response('woken')))
    expect(await poll).toBe('woken')
  })

  test('does not wait for a long poll that goes on regardless', async () => {
    const { url, stop } = await start({}, (request) => {
      connectionOf(request).keepOpen()
      return new Promise(() => {})
    })
    const poll = fetch(url + VERSIONS)
    await Bun.sleep(50)
    await stop()
    const response = await poll
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  })
})

describe('tls', () => {
  const certificatePath = join(folder, 'tls.crt')
  const keyPath = join(folder, 'tls.key')
  const settings = { tls_certificate_path: certificatePath, tls_private_key_path: keyPath }

  function issue(name: string): void {
    const { exitCode, stderr } = Bun.spawnSync(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
      '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', keyPath, '-out', certificatePath], { stderr: 'pipe' })
    if (exitCode !== 0) throw new Error(stderr.toString())
  }

  /** The name in the certificate that a new connection is shown. */
  async function shownBy(url: string): Promise<string> {
    const { port } = new URL(url)
    const shown = Bun.spawn(['openssl', 's_client', '-connect', `127.0.0.1:${port}`], { stdin: 'ignore', stderr: 'ignore' })
    const text = await shown.stdout.text()
    return /subject=CN ?= ?(\S+)/.exec(text)?.[1] ?? text
  }

  /** A port that nobody has now. */
  async function freePort(): Promise<number> {
    const { url, stop } = await start({})
    await stop()
    return Number(new URL(url).port)
  }

  test('changes its certificate while it listens, and keeps the old one when the new one is bad', async () => {
    issue('one.example')
    const port = await freePort()
    const { url, reloadTls } = await start({ ...settings, listeners: [{ ...onLoopback, port, tls: true }] })
    const tls = { rejectUnauthorized: false }
    expect(await (await fetch(url + VERSIONS, { tls })).json()).toMatchObject({ isSecure: true })
    expect(await shownBy(url)).toBe('one.example')

    issue('two.example')
    await reloadTls()
    expect(await shownBy(url)).toBe('two.example')

    writeFileSync(certificatePath, 'rubbish')
    await expect(reloadTls()).rejects.toThrow()
    expect(await shownBy(url)).toBe('two.example')
    expect((await fetch(url + VERSIONS, { tls, keepalive: false })).status).toBe(200)
  })

  test('does not share its port with another program', async () => {
    issue('one.example')
    const port = await freePort()
    const tls = { ...settings, listeners: [{ ...onLoopback, port, tls: true }] }
    await start(tls)
    await expect(start(tls)).rejects.toThrow(ConfigError)
  })

  test('says which file is missing', async () => {
    await expect(start({ ...settings, tls_certificate_path: '/nowhere.pem', listeners: [{ ...onLoopback, tls: true }] }))
      .rejects.toThrow('/nowhere.pem cannot be read')
  })
})
