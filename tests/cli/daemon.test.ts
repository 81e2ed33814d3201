import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { loadConfig } from '#config'
import { freePort } from '#harness/warren-process.ts'
import { askControlSocket, controlSocketPath } from '#process/control-socket.ts'

const program = join(import.meta.dir, '../harness/fake-warren.ts')
const folders: string[] = []
const running: string[] = []

type Ended = Readonly<{ code: number; out: string; error: string }>

/** A folder with a configuration, in which commands are run as programs of their own. */
function place(more: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'warren-daemon-'))
  folders.push(folder)
  const port = freePort()
  const listeners = [{ port, bind_addresses: ['127.0.0.1'], resources: [{ names: ['client'] }] }]
  writeFileSync(join(folder, 'homeserver.yaml'), JSON.stringify({ server_name: 'a.example', data_dir: 'data', listeners, ...more }))
  const spawn = (...words: string[]) =>
    Bun.spawn([process.execPath, program, ...words], { cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const run = async (...words: string[]): Promise<Ended> => {
    const child = spawn(...words)
    const [out, error, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
    return { code, out, error }
  }
  running.push(folder)
  return { folder, data: join(folder, 'data'), port, url: `http://127.0.0.1:${port}`, spawn, run }
}

afterAll(async () => {
  for (const folder of running) {
    await Bun.spawn([process.execPath, program, 'stop'], { cwd: folder, stdout: 'ignore', stderr: 'ignore' }).exited
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const modeOf = (path: string): number => statSync(path).mode & 0o777
const VERSIONS = '/_matrix/client/versions'

describe('start, status, restart, stop', () => {
  const { data, url, run } = place()

  test('status says 3 while nothing runs, and makes nothing', async () => {
    const { code, out } = await run('status')
    expect([code, out, existsSync(data)]).toEqual([3, `Warren is not running on ${data}\n`, false])
  })

  test('stop has nothing to do', async () => expect(await run('stop')).toEqual({ code: 0, out: 'Warren is not running\n', error: '' }))

  test('start returns when the server answers, and says where', async () => {
    const { code, out, error } = await run('start')
    expect([code, error]).toEqual([0, ''])
    expect(out).toContain(`Warren listens on ${url}\nIts data are in ${data}\nIn a Matrix client, put https://a.example as the homeserver\n`)
    expect(out).toContain(`Make the first one, an admin, at ${url}/_warren/setup?key=`)
    expect((await fetch(url + VERSIONS)).status).toBe(200)
  })

  test('what it keeps is for its owner alone', () => {
    expect([data, join(data, 'control.sock'), join(data, 'signing.key'), join(data, 'warren.log')].map(modeOf))
      .toEqual([0o700, 0o600, 0o600, 0o600])
  })

  test('a second start finds it running, and that is fine', async () => {
    const { code, out } = await run('start')
    expect([code, out.split('\n')[0]]).toEqual([0, `Warren is already running (process ${readFileSync(join(data, 'warren.pid'), 'utf8').trim()})`])
  })

  test('a second server on the same data is refused', async () => {
    const { code, error } = await run('serve')
    expect([code, error.split('\n')[0]]).toEqual([1, `${data} is in use by a warren that runs`])
  }, 10_000)

  test('commands reach it over the control socket', async () => {
    expect((await run('user', 'create', 'alice', '--password', 'correct horse')).out).toBe('Made @alice:a.example\n')
    expect((await run('user', 'list', '--json')).out).toContain('"userId":"@alice:a.example"')
    const status = JSON.parse((await run('status', '--json')).out)
    expect(status).toMatchObject({ state: 'running', serverName: 'a.example', users: 1, setupLink: null, addresses: [url] })
    expect((await run('top')).out).toContain('!den:a.example')
  })

  test('restart makes another process of it', async () => {
    const before = readFileSync(join(data, 'warren.pid'), 'utf8')
    expect((await run('restart')).code).toBe(0)
    expect(readFileSync(join(data, 'warren.pid'), 'utf8')).not.toBe(before)
  })

  test('stop returns when it has ended, and its traces are gone', async () => {
    expect((await run('stop')).code).toBe(0)
    expect(['warren.pid', 'control.sock'].filter((name) => existsSync(join(data, name)))).toEqual([])
    await expect(fetch(url + VERSIONS, { keepalive: false })).rejects.toThrow()
    expect((await run('status')).code).toBe(3)
  })
})

describe('serve', () => {
  test('stops on SIGTERM after the requests that are under way', async () => {
    const { spawn, url } = place()
    const child = spawn('serve')
    for await (const chunk of child.stdout) if (chunk.length > 0) break
    const slow = fetch(`${url}/_matrix/client/slow`).then((response) => response.json())
    await Bun.sleep(100)
    child.kill('SIGTERM')
    expect([await slow, await child.exited]).toEqual([{ path: '/_matrix/client/slow' }, 0])
  })

  test('is what warren alone does, with the defaults where there is no configuration', async () => {
    const { folder, spawn } = place()
    rmSync(join(folder, 'homeserver.yaml'))
    const port = freePort()
    mkdirSync(join(folder, 'conf.d'))
    const listeners = [{ port, bind_addresses: ['127.0.0.1'], resources: [{ names: ['client'] }] }]
    writeFileSync(join(folder, 'conf.d', 'only.yaml'), JSON.stringify({ server_name: 'b.example', listeners }))
    const child = spawn('-c', 'conf.d')
    let said = ''
    for await (const chunk of child.stdout) {
      said += new TextDecoder().decode(chunk)
      if (said.includes('setup?key=')) break
    }
    expect(said).toContain(`Its data are in ${join(folder, 'data')}\n`)
    child.kill('SIGINT')
    expect(await child.exited).toBe(0)
  })

  test('an answer of the control socket leaves before it closes', async () => {
    const { spawn, data } = place()
    const child = spawn('serve')
    for await (const chunk of child.stdout) if (chunk.length > 0) break
    expect((await askControlSocket(data, '/stop', { method: 'POST' }))?.status).toBe(200)
    expect(await child.exited).toBe(0)
  })
})

describe('a start that fails', () => {
  test('says why, and leaves nothing behind', async () => {
    const { run, port, data } = place()
    const other = Bun.serve({ port, hostname: '127.0.0.1', reusePort: false, fetch: () => new Response() })
    const { code, error } = await run('start')
    await other.stop(true)
    expect([code, error.split('\n').slice(0, 2)])
      .toEqual([1, ['Warren did not start:', `Cannot listen on 127.0.0.1:${port}: another program does.`]])
    expect(existsSync(join(data, 'warren.pid'))).toBe(false)
  })

  test('on a configuration with mistakes stops no server that runs', async () => {
    const { run, folder, url } = place()
    await run('start')
    const file = join(folder, 'homeserver.yaml')
    const good = readFileSync(file, 'utf8')
    writeFileSync(file, good.replace('"listeners"', '"listners"'))
    expect(await run('restart')).toMatchObject({ code: 1, error: expect.stringContaining('Did you mean listeners?') })
    expect((await fetch(url + VERSIONS)).status).toBe(200)
    writeFileSync(file, good)
    expect((await run('stop')).code).toBe(0)
  }, 20_000)

  test('refuses a database of Synapse and leaves it alone', async () => {
    const { folder, run, data } = place()
    mkdirSync(data)
    const { Database } = await import('bun:sqlite')
    const database = new Database(join(data, 'warren.db'))
    database.run('CREATE TABLE applied_schema_deltas (version INTEGER)')
    database.close()
    const before = readFileSync(join(data, 'warren.db'))
    const { code, error } = await run('serve')
    expect([code, error.split('\n')[0]]).toEqual([1, `${join(folder, 'data/warren.db')} is the database of a Synapse. It is left as it is.`])
    expect(readFileSync(join(data, 'warren.db'))).toEqual(before)
  })
})

describe('the control socket', () => {
  test('lies in the data folder, or elsewhere when that path is too long for a socket', () => {
    expect(controlSocketPath('/var/lib/warren')).toBe('/var/lib/warren/control.sock')
    const long = controlSocketPath(`/${'x'.repeat(120)}`)
    expect(long).toStartWith(join(tmpdir(), 'warren-'))
    expect(long.length).toBeLessThan(100)
  })

  test('nobody answers where there is none', async () => {
    expect(await askControlSocket(loadConfig().dataDir, '/status')).toBeNull()
  })
})
