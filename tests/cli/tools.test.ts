import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { loadConfig } from '#config'
import { register } from '#admin/register.ts'
import { age, bytes, columns, date } from '#cli/format.ts'
import { tableOf } from '#cli/top.ts'
import { commandLine } from '#harness/command-line.ts'
import { topicNames } from '#manual/index.ts'

const { folder, run, door, remove } = commandLine()
afterAll(remove)

const inFolder = (name: string): string => join(folder, name)

describe('generate-config', () => {
  test('writes a file that the server starts with, for its owner alone, each with a secret of its own', async () => {
    const [first, second] = [inFolder('one.yaml'), inFolder('two.yaml')]
    for (const file of [first, second]) {
      const { code, out } = await run(['generate-config', '-H', 'a.example', '--data-directory', folder, file])
      expect([code, out]).toEqual([0, [`Wrote ${file}`, `Start it with: warren start -c ${file}`]])
    }
    const config = loadConfig(first)
    expect([config.serverName as string, config.dataDir, config.notices]).toEqual(['a.example', folder, []])
    expect(statSync(first).mode & 0o777).toBe(0o600)
    expect(config.registrationSharedSecret).toMatch(/^[\w-]{43}$/)
    expect(loadConfig(second).registrationSharedSecret).not.toBe(config.registrationSharedSecret)
  })

  test('overwrites nothing', async () => {
    const file = inFolder('mine.yaml')
    writeFileSync(file, 'server_name: mine.example\n')
    expect((await run(['generate-config', '-H', 'a.example', file])).code).toBe(1)
    expect(readFileSync(file, 'utf8')).toBe('server_name: mine.example\n')
  })

  test.each([
    ['no name', [], 'Type: warren generate-config --server-name example.org'],
    ['a name that is none', ['-H', 'https://a.example'], 'https://a.example is no server name; it is a host such as example.org, without https://'],
  ])('needs a server name: %s', async (_, words, says) => {
    expect(await run(['generate-config', ...words])).toEqual({ code: 2, out: [], error: [says] })
  })

  test('every option in it, also those that are commented out, is served', async () => {
    const { out } = await run(['generate-config', '-H', 'a.example', '--stdout'])
    const file = inFolder('uncommented.yaml')
    writeFileSync(file, (out[0] ?? '').replace(/^# (?=(  )?[a-z_]+:)/gm, ''))
    const { out: said } = await run(['config', 'check', file])
    expect(said.filter((line) => /^(error|warning|note):/.test(line))).toEqual([])
  })
})

describe('config check', () => {
  test('says where each option stands', async () => {
    const file = inFolder('check.yaml')
    writeFileSync(file, 'server_name: a.example\ngc_thresholds: [1]\nsentry: {dsn: x}\nlistners: []\nmodules: [x]\n')
    const { code, out } = await run(['config', 'check', '-c', file])
    expect([code, out]).toEqual([1, [
      file,
      'option         standing        where',
      'server_name    served          check.yaml:1',
      'gc_thresholds  needless here   check.yaml:2',
      'sentry         not served yet  check.yaml:3',
      'listners       unknown         check.yaml:4',
      'modules        cannot be kept  check.yaml:5',
      'note: check.yaml:2: gc_thresholds is not needed here. A setting of Python',
      'warning: check.yaml:3: sentry is not served yet (Errors are logged, and sent nowhere)',
      'error: check.yaml:4: listners is no option that this server or Synapse knows. Did you mean listeners?',
      'error: check.yaml:5: modules cannot be kept, so the server will not start ' +
        '(Extension modules are Python and cannot run here; without them what they check would pass). Remove it to start without',
      'The server cannot start with this: 2 to mend',
    ]])
  })

  test('prints no secret, in neither form', async () => {
    const file = inFolder('secrets.yaml')
    writeFileSync(file, 'server_name: a.example\nregistration_shared_secret: opensesame\nform_secret: opensesame\nturn_shared_secret: opensesame\npassword_config: {pepper: opensesame}\n')
    for (const words of [['config', 'check', file], ['config', 'check', file, '--json']]) {
      const { out, error } = await run(words)
      expect([...out, ...error].join('\n')).not.toContain('opensesame')
    }
  })

  test('takes the file as a word, and answers in JSON', async () => {
    const file = inFolder('good.yaml')
    writeFileSync(file, 'server_name: a.example\n')
    const { code, out } = await run(['config', 'check', file, '--json'])
    expect([code, JSON.parse(out[0] ?? '')]).toEqual([0, {
      files: [file],
      usable: true,
      findings: [],
      options: [expect.objectContaining({ name: 'server_name', standing: 'served', place: 'good.yaml:1' })],
    }])
  })

  test('a file that is no YAML has its line', async () => {
    const file = inFolder('bad.yaml')
    writeFileSync(file, 'server_name: a.example\n\tx: y\n')
    const { code, out } = await run(['config', 'check', file])
    expect(code).toBe(1)
    expect(out.join('\n')).toContain('error: bad.yaml:2: ')
  })
})

describe('keys and hashes', () => {
  test('a signing key is printed, or written once', async () => {
    expect((await run(['generate-signing-key'])).out[0]).toMatch(/^ed25519 a_\w{4} [\w+/]{43}$/)
    const file = inFolder('signing.key')
    expect((await run(['generate-signing-key', '-o', file])).code).toBe(0)
    const made = readFileSync(file, 'utf8')
    expect((await run(['generate-signing-key', '-o', file])).code).toBe(1)
    expect(readFileSync(file, 'utf8')).toBe(made)
  })

  test('a password is hashed with the pepper of the configuration', async () => {
    const file = inFolder('pepper.yaml')
    writeFileSync(file, 'server_name: a.example\npassword_config: {pepper: hot}\n')
    const { out } = await run(['hash-password', '-c', file, '-p', 'correct horse'])
    expect(await Bun.password.verify('correct horsehot', out[0] ?? '')).toBe(true)
  })

  test('a password is asked for twice', async () => {
    expect(await run(['hash-password'], ['one', 'other'])).toEqual({ code: 1, out: [], error: ['The two passwords are not the same'] })
    expect((await run(['hash-password'], ['same', 'same'])).code).toBe(0)
    expect((await run(['hash-password'], [])).error).toEqual(['No password was given'])
  })
})

describe('register-new-matrix-user', () => {
  const routes = register({ door, secret: 'shared', now: Date.now, bug() {} })
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => routes.handle(request) })
  const url = `http://127.0.0.1:${server.port}`
  afterAll(() => server.stop(true))

  test('makes an account over HTTP', async () => {
    const said = await run(['register-new-matrix-user', '-u', 'carol', '-p', 'correct horse', '-a', '-k', 'shared', url])
    expect(said).toEqual({ code: 0, out: ['Made @carol:a.example'], error: [] })
    expect(door.users.get('@carol:a.example')).toMatchObject({ isAdmin: true })
  })

  test('an account that exists is an error, unless that is fine', async () => {
    const words = ['register-new-matrix-user', '-u', 'dave', '-p', 'correct horse', '--no-admin', '-k', 'shared', url]
    await run(words)
    expect(await run(words)).toMatchObject({ code: 1, error: [`${url} refused (400): @dave:a.example exists already`] })
    expect(await run([...words, '--exists-ok'])).toMatchObject({ code: 0, out: ['dave exists already'] })
  })

  test('needs the secret, and the right one', async () => {
    const words = ['register-new-matrix-user', '-u', 'eve', '-p', 'correct horse', '--no-admin', url]
    expect((await run(words)).error[0]).toBe('No shared secret: the configuration has no registration_shared_secret')
    expect((await run([...words, '-k', 'wrong'])).error).toEqual([`${url} refused (403): HMAC incorrect`])
  })

  test('says when nobody answers', async () => {
    const { code, error } = await run(['register-new-matrix-user', '-u', 'eve', '-p', 'x', '--no-admin', '-k', 'x', 'http://127.0.0.1:1'])
    expect([code, error[0]?.startsWith('http://127.0.0.1:1 does not answer')]).toEqual([1, true])
  })
})

describe('help', () => {
  test('lists the commands and the pages', async () => {
    const { code, out } = await run(['help'])
    expect(code).toBe(0)
    expect(out.at(-1)).toBe(`Pages of the handbook (warren help TOPIC): ${topicNames.join(', ')}`)
  })

  test('shows a page, a command, a group of commands', async () => {
    expect((await run(['help', 'configuration'])).out[0]).toBe('# Configuration')
    expect((await run(['help', 'user', 'create'])).out[0]).toBe('warren user create NAME')
    expect((await run(['help', 'room'])).out.filter((line) => line.startsWith('warren'))).toEqual(['warren room list', "warren room show 'ROOM_ID'"])
  })

  test('knows what was meant', async () => {
    expect(await run(['help', 'configuratoin'])).toMatchObject({ code: 2, error: ['There is no page or command: configuratoin', 'Did you mean: warren help configuration'] })
  })

  test('--version says it too', async () => {
    expect((await run(['--version'])).out[0]).toMatch(/^warren \d+\.\d+\.\d+ \(Bun /)
  })
})

describe('figures for people', () => {
  test.each([[0, '0 B'], [1023, '1023 B'], [1536, '1.5 KB'], [200 * 1024, '200 KB'], [5 * 1024 ** 3, '5.0 GB']])('%p bytes are %s', (count, said) =>
    expect(bytes(count)).toBe(said))
  test.each([[0, '0 seconds'], [1_000, '1 second'], [90_000, '1 minute'], [7_300_000, '2 hours'], [200_000_000, '2 days']])('%p ms are %s', (ms, said) =>
    expect(age(ms)).toBe(said))
  test('dates are in UTC', () => expect([date(0), date(null)]).toEqual(['1970-01-01 00:00', 'never']))
  test('columns are as wide as they must be', () =>
    expect(columns(['name', ' count'], [['a', '1'], ['longer', '100']])).toEqual(['name    count', 'a           1', 'longer    100']))

  test('top shows the busiest first, and how fast they turn', () => {
    const row = { kind: 'room', id: '!a', mailboxDepth: 0, turns: 10, failures: 0, memoryBytes: null }
    const actors = [row, { ...row, id: '!b', turns: 50 }]
    expect(tableOf(actors, { before: new Map([['room/!b', 30]]), everyMs: 2000, sort: 'turns', limit: 1 })).toEqual([
      'kind  id  mail  turns  per second  failures  memory',
      'room  !b     0     50        10.0         0',
      '2 awake',
    ])
  })
})
