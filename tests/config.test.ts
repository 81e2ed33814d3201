import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ConfigError, examineConfig, loadConfig, newSigningKeyLine, openSigningKeys, type Config } from '#config'
import { awaited } from '#config/awaited.ts'
import { parseDuration, parseSize } from '#config/grammar.ts'
import { editDistance, nearest } from '#config/nearest.ts'
import { table } from '#config/table.ts'

const folder = mkdtempSync(join(tmpdir(), 'warren-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { unreadOptions } = await import(join(process.cwd(), 'scripts/option-use.ts'))

let files = 0
/** A configuration file with this text. */
function written(text: string): string {
  const path = join(folder, `${++files}.yaml`)
  writeFileSync(path, text)
  return path
}

const load = (text: string): Config => loadConfig(written(`server_name: a.example\n${text}`))

/** The lines of the error that loading this text ends in, without the name of the file. */
function mistakes(text: string): readonly string[] {
  try {
    loadConfig(written(text))
  } catch (failure) {
    if (failure instanceof ConfigError) return failure.lines.map((line) => line.replace(/^\d+\.yaml:/, ''))
    throw failure
  }
  return []
}

describe('durations', () => {
  test.each([
    ['a number is milliseconds', 1500, 1500],
    ['s', '5s', 5_000],
    ['m', '5m', 300_000],
    ['h', '2h', 7_200_000],
    ['d', '1d', 86_400_000],
    ['w', '1w', 604_800_000],
    ['y is 365 days', '1y', 31_536_000_000],
    ['digits in quotes', '250', 250],
    ['a unit that does not exist', '5q', undefined],
    ['a fraction', 1.5, undefined],
    ['less than nothing', -1, undefined],
    ['no text', true, undefined],
  ])('%s', (_, value, expected) => expect(parseDuration(value)).toBe(expected as number))
})

describe('sizes', () => {
  test.each([
    ['a number is bytes', 1500, 1500],
    ['K is 1024', '5K', 5120],
    ['M', '50M', 52_428_800],
    ['G', '1G', 1_073_741_824],
    ['T', '1T', 1_099_511_627_776],
    ['as the manual prints them', '500MiB', 524_288_000],
    ['small letters', '87k', 89_088],
    ['a unit that does not exist', '5X', undefined],
    ['more than can be counted', '99999999999T', undefined],
  ])('%s', (_, value, expected) => expect(parseSize(value)).toBe(expected as number))
})

describe('the nearest name', () => {
  test.each([
    ['equal words', 'listeners', 'listeners', 0],
    ['a letter dropped', 'listners', 'listeners', 1],
    ['two letters swapped', 'lsiteners', 'listeners', 1],
    ['nothing in common', 'abc', 'xyz', 3],
  ])('counts %s', (_, from, to, distance) => expect(editDistance(from, to)).toBe(distance))

  test('is not guessed when nothing is like it', () => {
    expect(nearest('zzzzzz', ['listeners', 'database'])).toBeUndefined()
  })
})

describe('without a configuration', () => {
  const config = loadConfig()

  test('the server is localhost, on this machine alone, with its data in ./data', () => {
    expect({ ...config }).toMatchObject({
      serverName: 'localhost',
      publicBaseurl: 'http://localhost:8008/',
      dataDir: join(process.cwd(), 'data'),
      pidFile: join(process.cwd(), 'data/warren.pid'),
      signingKeyPath: join(process.cwd(), 'data/signing.key'),
      mediaStorePath: join(process.cwd(), 'data/media'),
      database: { path: join(process.cwd(), 'data/warren.db'), synchronous: 'full' },
      defaultRoomVersion: '12',
      enableRegistration: false,
      registrationSharedSecret: null,
      sources: [],
      notices: [],
    })
    expect(config.listeners.map(({ port, bindAddresses, resources }) => ({ port, bindAddresses, resources })))
      .toEqual([{ port: 8008, bindAddresses: ['127.0.0.1'], resources: ['client', 'federation'] }])
  })

  test('rates are those of Synapse', () => {
    expect(config.rc.message).toEqual({ perSecond: 0.2, burstCount: 10 })
    expect(config.rc.login.failedAttempts).toEqual({ perSecond: 0.17, burstCount: 3 })
    expect(config.rc.presence).toEqual({ perSecond: 0.1, burstCount: 1 })
    expect(config.rc['3pidValidation']).toEqual({ perSecond: 0.003, burstCount: 5 })
    expect(config.rc.adminRedaction).toEqual(config.rc.message)
    expect(config.rc.keyRequests).toEqual({ perSecond: 20, burstCount: 100 })
    expect(config.rc.registrationTokenValidity).toEqual({ perSecond: 0.1, burstCount: 5 })
  })

  test('nothing of it can be changed', () => {
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.rc.login.account)).toBe(true)
    expect(Object.isFrozen(config.listeners[0]?.resources)).toBe(true)
  })

  test('options given beside the files win', () => {
    expect(loadConfig(undefined, { server_name: 'b.example', data_dir: '/srv/b' })).toMatchObject({
      serverName: 'b.example', publicBaseurl: 'https://b.example/', dataDir: '/srv/b',
    })
  })
})

describe('a file', () => {
  test('of an old Synapse starts, and says what it does not need', () => {
    const config = loadConfig('tests/fixtures/config/synapse-packaged.yaml')
    expect({ ...config, notices: [] }).toMatchObject({
      serverName: 'matrix.example.org',
      dataDir: '/var/lib/matrix-synapse',
      database: { path: '/var/lib/matrix-synapse/homeserver.db' },
      maxUploadSize: 104_857_600,
      enableRegistration: false,
      redactionRetentionPeriod: null,
      trustedKeyServers: [{ serverName: 'matrix.org', verifyKeys: {}, acceptKeysInsecurely: false }],
      passwordConfig: { enabled: true, pepper: 'a pepper', policy: { enabled: true, minimumLength: 12, requireDigit: false } },
    })
    expect(config.listeners.map(({ port, tls, xForwarded }) => ({ port, tls, xForwarded })))
      .toEqual([{ port: 8008, tls: false, xForwarded: true }])
    expect(config.notices.filter((notice) => !notice.includes('not served yet'))).toEqual([
      "synapse-packaged.yaml:20: log_config is not needed here. A file of Python's logging; see the option log",
      'synapse-packaged.yaml:23: macaroon_secret_key is not needed here. Tokens are random and kept as hashes; no secret makes them',
      'synapse-packaged.yaml:24: gc_thresholds is not needed here. A setting of Python',
      'synapse-packaged.yaml:25: report_stats is not needed here. Nothing is ever reported to anyone',
      'synapse-packaged.yaml:13: A listener of type manhole is not needed here and is left out',
    ])
  })

  test('may open a listener for metrics by its type or by its resource', () => {
    const { listeners } = load(`listeners:
  - {port: 9000, type: metrics, bind_addresses: ['127.0.0.1']}
  - {port: 8008, resources: [{names: [client, metrics]}]}
`)
    expect(listeners.map(({ port, resources }) => [port, resources])).toEqual([[9000, ['metrics']], [8008, ['client', 'metrics']]])
  })

  test('of the black-box suite is accepted', () => {
    expect({ ...loadConfig('tests/fixtures/config/sytest.yaml') }).toMatchObject({
      serverName: 'localhost:8800',
      dataDir: '/tmp/sytest/server-0/data',
      tls: { certificatePath: '/tmp/sytest/server-0/tls.crt', privateKeyPath: '/tmp/sytest/server-0/tls.key' },
      enableRegistration: true,
      registrationSharedSecret: 'reg_secret',
      ipRangeBlacklist: [],
      roomListPublicationRules: [{ userId: '*', alias: '*', roomId: '*', action: 'allow' }],
      rc: { login: { address: { perSecond: 1000, burstCount: 1000 } }, federation: { sleepDelay: 1, concurrent: 100 } },
      federationCustomCaList: ['/tmp/sytest/keys/ca.crt'],
    })
  })

  test('later ones win, key by key at the top, and a folder means its *.yaml', () => {
    const parts = join(folder, 'parts')
    mkdirSync(parts)
    writeFileSync(join(parts, '10-main.yaml'), 'server_name: a.example\nrc_message: {per_second: 5, burst_count: 50}\n')
    writeFileSync(join(parts, '20-more.yaml'), 'rc_message: {per_second: 7}\n')
    writeFileSync(join(parts, 'notes.txt'), 'server_name: c.example\n')
    expect(loadConfig(parts).rc.message).toEqual({ perSecond: 7, burstCount: 10 })
    expect(loadConfig([parts, written('server_name: b.example\n')]).serverName).toBe('b.example' as Config['serverName'])
  })

  test('says yes and no as YAML 1.1 does', () => {
    expect(load('enable_search: off\nallow_guest_access: yes\n')).toMatchObject({ enableSearch: false, allowGuestAccess: true })
  })

  test('may use anchors and merge keys', () => {
    expect(load('rc_message: &slow {per_second: 1, burst_count: 2}\nrc_reports: {<<: *slow, burst_count: 3}\n').rc.reports)
      .toEqual({ perSecond: 1, burstCount: 3 })
  })

  test('keeps the signing key that lies beside it', () => {
    const path = written('server_name: beside.example\n')
    writeFileSync(join(folder, 'beside.example.signing.key'), newSigningKeyLine())
    expect(loadConfig(path).signingKeyPath).toBe(join(folder, 'beside.example.signing.key'))
  })
})

describe('mistakes name their line and what to write', () => {
  test.each([
    ['an unknown option', 'server_name: a.example\n\nlistners: []\n',
      ['3: listners is no option that this server or Synapse knows. Did you mean listeners?']],
    ['an unknown key of a section', 'server_name: a.example\npassword_config:\n  policy:\n    minimum_lenght: 8\n',
      ['4: password_config.policy.minimum_lenght is no option that this server or Synapse knows. Did you mean password_config.policy.minimum_length?']],
    ['a key twice', 'server_name: a.example\npresence: {}\npresence: {}\n',
      ['3: This key stands here twice; remove one of the two']],
    ['a wrong type', 'server_name: a.example\nenable_search: perhaps\n',
      ['2: enable_search must be true or false, not "perhaps"']],
    ['a wrong type deep in a list', 'server_name: a.example\nlisteners:\n  - port: 8008\n  - port: many\n',
      ['4: listeners[1].port must be a whole number from 0, not "many"', '4: A listener needs either a port or a path (of a Unix socket)']],
    ['a bad duration', 'server_name: a.example\nuser_ips_max_age: 5 days\n',
      ['2: user_ips_max_age must be a duration such as 30s, 5m, 2h, 7d, 4w, 1y, or milliseconds, not "5 days"']],
    ['no server name', 'pid_file: /tmp/pid\n',
      ['server_name is missing. Write for instance: server_name: example.org']],
    ['a URL as server name', 'server_name: https://a.example/\n',
      ['1: https://a.example/ is no server name. It is a host such as example.org, perhaps with a port, and without https://']],
    ['Postgres', 'server_name: a.example\ndatabase:\n  name: psycopg2\n  args: {host: db}\n',
      ['3: The database is SQLite, always. Write database: {name: sqlite3}, or remove the option']],
    ['tls without a certificate', 'server_name: a.example\nlisteners:\n- port: 8448\n  tls: true\n',
      ['4: A listener with tls needs tls_certificate_path and tls_private_key_path']],
    ['a secret twice', 'server_name: a.example\nregistration_shared_secret: x\nregistration_shared_secret_path: /tmp/y\n',
      ['2: registration_shared_secret and registration_shared_secret_path exclude each other; keep one']],
    ['a port that does not exist', 'server_name: a.example\nlisteners: [{port: 80080}]\n',
      ['2: There is no port 80080; ports go up to 65535']],
    ['nothing to connect to', 'server_name: a.example\nlisteners: []\n',
      ['2: There is no listener of type http, so nobody could connect']],
  ])('%s', (_, text, lines) => expect(mistakes(text)).toEqual(lines))

  test('a syntax error has its line', () => {
    expect(mistakes('server_name: a.example\npresence: {enabled: true\nx: y\n')[0]).toStartWith('3: ')
  })

  test('a file that is not there says how to make one', () => {
    expect(() => loadConfig('/nowhere/homeserver.yaml')).toThrow('warren generate-config')
  })

  test('all mistakes are said at once', () => {
    expect(mistakes('server_name: a.example\nfoo_bar_baz: 1\nenable_search: 3\n')).toHaveLength(2)
  })
})

describe('registration', () => {
  const open = 'enable_registration: true\n'

  test('without any check is refused unless it is meant', () => {
    expect(mistakes(`server_name: a.example\n${open}`)[0]).toContain('enable_registration_without_verification: true')
    expect(load(`${open}enable_registration_without_verification: true\n`).enableRegistration).toBe(true)
    expect(load(`${open}registration_requires_token: true\n`).enableRegistration).toBe(true)
  })

  test('makes the file of the shared secret, for its owner alone, and reads it the next time', () => {
    const path = join(folder, 'secrets', 'shared')
    const text = `registration_shared_secret_path: ${path}\n`
    const first = load(text).registrationSharedSecret
    expect(first).toMatch(/^[\w-]{43}$/)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(load(text).registrationSharedSecret).toBe(first)
  })

  test('a look at a configuration makes no file', () => {
    const path = join(folder, 'not-made')
    examineConfig(written(`server_name: a.example\nregistration_shared_secret_path: ${path}\n`))
    expect(existsSync(path)).toBe(false)
  })
})

describe('user_consent', () => {
  const templates = join(folder, 'terms')
  mkdirSync(join(templates, 'en'), { recursive: true })
  writeFileSync(join(templates, 'en', 'success.html'), 'Thank you')
  writeFileSync(join(templates, 'en', '1.0.html'), '{{ user }}')
  writeFileSync(join(templates, 'en', 'bad.html'), '\n{% for x in y %}')
  const asking = (more: string): string => `server_name: a.example\ndata_dir: ${folder}\nuser_consent: {template_dir: ${templates}, ${more}}\n`

  test('has a secret for its links, made at the first start and kept', () => {
    const { formSecret, userConsent } = loadConfig(written(asking('version: "1.0"')))
    expect(formSecret).toMatch(/^[\w-]{43}$/)
    expect(loadConfig(written(asking('version: "1.0"'))).formSecret).toBe(formSecret)
    expect(userConsent).toMatchObject({ templateDir: templates, version: '1.0', policyName: 'Privacy Policy', requireAtRegistration: false })
    expect(loadConfig(written(`${asking('version: "1.0"')}form_secret: mine\n`)).formSecret).toBe('mine')
  })

  test('that is off needs no secret and no page', () => {
    expect(load('')).toMatchObject({ formSecret: null, userConsent: { version: null } })
  })

  test.each([
    ['a page that is not there', 'version: "2.0"', `user_consent needs the page ${join(templates, 'en', '2.0.html')}, which is not there`],
    ['a page that cannot be understood', 'version: bad', `${join(templates, 'en', 'bad.html')} cannot be used: line 2: this is not understood: {% for x in y %}`],
    ['a version that is no name of a file', 'version: ../1.0', 'user_consent.version is also the name of a file, so ../1.0 cannot be one. Write for instance: version: "1.0"'],
  ])('refuses %s', (_, more, why) => expect(mistakes(asking(more))).toEqual([`3: ${why}`]))

  test('says that nobody is reminded by a notice', () => {
    expect(loadConfig(written(asking('version: "1.0", send_server_notice_to_guests: true'))).notices).toEqual([
      expect.stringContaining('Nobody is reminded of the terms by a notice yet'),
    ])
  })
})

describe('what cannot be kept', () => {
  test('refuses the start, by name', () => {
    expect(mistakes('server_name: a.example\nmodules:\n- module: spam.Checker\n')[0])
      .toStartWith('2: modules cannot be kept, so the server will not start (')
  })

  test.each([
    ['an empty list', 'modules: []\n'],
    ['a section that is off', 'matrix_authentication_service: {enabled: false, endpoint: http://localhost}\n'],
    ['nothing', 'user_consent:\n'],
  ])('is passed over when it asks for nothing: %s', (_, text) => expect(load(text).notices).toEqual([]))

  test('what is not served yet is said, and the start goes on', () => {
    expect(load('sentry: {dsn: x}\n').notices).toEqual([
      `${files}.yaml:2: sentry is not served yet (Errors are logged, and sent nowhere)`,
    ])
  })
})

describe('the table of options', () => {
  const names = Object.keys(table)

  test('knows the options of the manual', () => {
    const manual = [
      'modules', 'server_name', 'listeners', 'email', 'hs_disabled', 'retention', 'tls_certificate_path', 'federation',
      'event_cache_size', 'caches', 'rc_message', 'enable_media_repo', 'recaptcha_public_key', 'turn_uris', 'matrix_rtc',
      'registrations_require_3pid', 'session_lifetime', 'ui_auth', 'enable_metrics', 'sentry', 'room_prejoin_state',
      'app_service_config_files', 'macaroon_secret_key', 'signing_key_path', 'saml2_config', 'oidc_providers', 'cas_config',
      'jwt_config', 'push', 'user_consent', 'stats', 'server_notices', 'opentracing', 'background_updates', 'redis',
      'experimental_features', 'account_validity', 'use_presence', 'no_tls',
    ]
    expect(manual.filter((name) => !names.includes(name))).toEqual([])
  })

  test('says of each option what it does or why it does nothing', () => {
    expect(names.filter((name) => table[name]?.about === '' || table[name]?.about.endsWith('.'))).toEqual(['server_name'])
  })

  test('has a value for each that is served, and for the awaited ones', () => {
    const hasValue = (name: string): boolean => table[name]?.standing === 'served' || Object.hasOwn(awaited, name)
    expect(names.filter((name) => hasValue(name) !== (table[name]?.reading !== null))).toEqual([])
  })

  test('calls served only what the code reads (bring the list up to date with: bun scripts/option-use.ts)', () => {
    expect(Object.keys(awaited)).toEqual([...unreadOptions(process.cwd())])
  })
})

describe('the signing key', () => {
  test('is made once, for its owner alone', () => {
    const path = join(folder, 'keys', 'signing.key')
    const [made] = openSigningKeys(path, join(folder, 'no.db'))
    expect(readFileSync(path, 'utf8')).toMatch(/^ed25519 a_[A-Za-z0-9]{4} [A-Za-z0-9+/]{43}\n$/)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(made.seed).toHaveLength(32)
    expect(openSigningKeys(path, join(folder, 'no.db'))).toEqual([made])
  })

  test('is not made anew for a server that had one', () => {
    const path = join(folder, 'lost', 'signing.key')
    const database = written('anything')
    expect(() => openSigningKeys(path, database)).toThrow(`type: warren generate-signing-key -o ${path}`)
    expect(existsSync(path)).toBe(false)
  })

  test("Synapse's file is read", () => {
    const path = written('ed25519 a_AbCd YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1\n')
    expect(openSigningKeys(path, join(folder, 'no.db'))[0].keyId).toBe('ed25519:a_AbCd')
  })

  test.each([
    ['not base64', 'ed25519 a_AbCd !!!\n'],
    ['too short', 'ed25519 a_AbCd YJDBA9Xn\n'],
    ['empty', '\n'],
  ])('a file that is %s is refused and left alone', (_, text) => {
    const path = written(text)
    expect(() => openSigningKeys(path, join(folder, 'no.db'))).toThrow(ConfigError)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })
})
