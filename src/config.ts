import { existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { isServerName, type ServerName } from '#schema/identifiers.ts'

import { readSource, type Source } from './config/document.ts'
import { settleConsent } from './config/consent.ts'
import type { Listener, ResourceName } from './config/listeners.ts'
import type { ConfigOf, Option } from './config/option.ts'
import { rateOptions, type RateLimit, type RateLimits } from './config/options-rates.ts'
import { ConfigError, sentenceOf } from './config/problem.ts'
import { camel, complain, complainUnknown, type Finding, type Report } from './config/reading.ts'
import { readSecretFile } from './config/secrets.ts'
import { optionNamed, plainOptions, table } from './config/table.ts'

export type { Finding, Listener, RateLimit, RateLimits, ResourceName }
export { ConfigError }
export { nearest as nearestName } from './config/nearest.ts'
export { newSigningKeyLine, openSigningKeys, readSigningKeys, type SigningKeySeed } from './config/signing-key.ts'
export { newSecret, writeSecretFile } from './config/secrets.ts'

type Plain = ConfigOf<typeof plainOptions>
type Replaced =
  | 'serverName' | 'publicBaseurl' | 'dataDir' | 'pidFile' | 'database' | 'signingKeyPath' | 'mediaStorePath'
  | 'tlsCertificatePath' | 'tlsPrivateKeyPath' | 'usePresence' | 'log' | 'turnSharedSecretPath'
  | 'registrationSharedSecretPath' | 'allowUnderscorePrefixedLocalpart' | 'federationIpRangeBlacklist' | 'formSecretPath'

/**
 * Everything that can be set, complete and frozen: Synapse's option names in camelCase. Durations are milliseconds,
 * sizes bytes, paths absolute. What each option means stands in src/config/options-*.ts.
 */
export type Config = Omit<Plain, Replaced> & Readonly<{
  serverName: ServerName
  /** Ends with a slash. */
  publicBaseurl: string
  dataDir: string
  pidFile: string
  database: Readonly<{ path: string; synchronous: 'full' | 'normal' }>
  signingKeyPath: string
  mediaStorePath: string
  log: Readonly<{ level: Plain['log']['level']; file: string }>
  /** The PEM files of listeners with `tls`; read again on SIGHUP. */
  tls: Readonly<{ certificatePath: string; privateKeyPath: string }> | null
  rc: RateLimits
  /** The files this was read from. */
  sources: readonly string[]
  /** What to say at start: options that are not served yet, or needless. */
  notices: readonly string[]
}>

export type Overrides = Readonly<Record<string, unknown>>

/** How an option that was set stands: what `config check` shows. */
export type OptionSet = Readonly<{ name: string; standing: Option['standing'] | 'unknown'; place: string; about: string }>
export type Examined = Readonly<{ config: Config; findings: readonly Finding[]; options: readonly OptionSet[] }>

const DEFAULT_NAME = 'localhost'

/**
 * Reads the configuration: `paths` are files or folders (later ones win), none means the defaults: a server named
 * `localhost` on 127.0.0.1:8008 with its data in ./data. `overrides` are options in Synapse's spelling that win over
 * the files. Throws ConfigError with one line per mistake. May make the file of registration_shared_secret_path.
 */
export function loadConfig(paths?: string | readonly string[], overrides: Overrides = {}): Config {
  const { config, findings } = examineConfig(paths, overrides, { mayWrite: true })
  const errors = findings.filter(({ level }) => level === 'error')
  if (errors.length > 0) throw new ConfigError(errors.map(sentenceOf), findings)
  return config
}

/** As `loadConfig`, but answers with all that can be said instead of throwing at the first error; writes nothing. */
export function examineConfig(
  paths: string | readonly string[] = [],
  overrides: Overrides = {},
  { mayWrite }: { mayWrite: boolean } = { mayWrite: false },
): Examined {
  const source = readSource(typeof paths === 'string' ? [paths] : paths, overrides)
  const report: Report = { findings: [], place: source.place }
  const options = judge(source, report)
  const plain = readOptions(plainOptions, source, report) as Plain
  const settled = settle(plain, source, report, mayWrite)
  const notices = report.findings.filter(({ level }) => level !== 'error').map(sentenceOf)
  return { config: deepFreeze({ ...settled, notices }), findings: report.findings, options }
}

/** Says of each option that is set what becomes of it. */
function judge(source: Source, report: Report): OptionSet[] {
  return [...source.values].map(([name, value]) => {
    const option = optionNamed(name)
    const place = source.place([name])
    if (!option) {
      complainUnknown(report, [name], Object.keys(table))
      return { name, standing: 'unknown', place, about: '' }
    }
    const changesNothing = value === null || isHarmless(value, option.harmless) || isDefault(name, value, option)
    if (option.standing === 'needless') complain(report, 'note', [name], `${name} is not needed here. ${option.about}`)
    if (option.standing === 'notYet' && !changesNothing) {
      complain(report, 'warning', [name], `${name} is not served yet (${option.about})`)
    }
    if (option.standing === 'refused' && !changesNothing) {
      complain(report, 'error', [name], `${name} cannot be kept, so the server will not start (${option.about}). Remove it to start without`)
    }
    return { name, standing: option.standing, place, about: option.about }
  })
}

/** Whether an option does what it says; what is no option at all counts as such. */
export const isServed = (name: string | undefined): boolean =>
  name === undefined || (optionNamed(name)?.standing ?? 'served') === 'served'

/** What is written out is what would hold anyway. */
function isDefault(name: string, value: unknown, { reading }: Option): boolean {
  if (reading === null) return false
  const silent: Report = { findings: [], place: () => '' }
  return Bun.deepEquals(reading.read(value, [name], silent), reading.fallback) && silent.findings.length === 0
}

/** Equal to the harmless value, or, when that is a section, agreeing with each key that it names. */
function isHarmless(value: unknown, harmless: unknown): boolean {
  if (harmless === undefined) return false
  if (typeof harmless !== 'object' || harmless === null || Array.isArray(harmless)) return Bun.deepEquals(value, harmless)
  if (typeof value !== 'object' || value === null) return false
  const wanted = Object.entries(harmless)
  if (wanted.length === 0) return Object.keys(value).length === 0
  return wanted.every(([key, each]) => ((value as Readonly<Record<string, unknown>>)[key] ?? each) === each)
}

function readOptions(options: Readonly<Record<string, Option>>, source: Source, report: Report): object {
  return Object.fromEntries(Object.entries(options).flatMap(([name, { reading }]) => {
    if (reading === null) return []
    const isSet = source.values.has(name)
    return [[camel(name), isSet ? reading.read(source.values.get(name), [name], report) : reading.fallback]]
  }))
}

function settle(plain: Plain, source: Source, report: Report, mayWrite: boolean): Omit<Config, 'notices'> {
  const serverName = settleServerName(plain, source, report)
  const { dataDir, database } = settleDatabase(plain, report)
  const tls = settleTls(plain, report)
  settleRegistration(plain, report)
  return {
    ...plain,
    serverName,
    publicBaseurl: settleBaseUrl(plain, serverName, report),
    dataDir,
    database,
    pidFile: resolve(plain.pidFile ?? join(dataDir, 'warren.pid')),
    signingKeyPath: settleSigningKeyPath(plain, source, serverName, dataDir),
    mediaStorePath: resolve(plain.mediaStorePath ?? join(dataDir, 'media')),
    log: { level: plain.log.level, file: resolve(plain.log.file ?? join(dataDir, 'warren.log')) },
    tls,
    listeners: plain.listeners.map((listener) =>
      listener.path === null ? listener : { ...listener, path: resolve(listener.path) }),
    presence: plain.usePresence === null ? plain.presence : { ...plain.presence, enabled: plain.usePresence },
    federationCustomCaList: plain.federationCustomCaList.map((path) => resolve(path)),
    appServiceConfigFiles: plain.appServiceConfigFiles.map((path) => resolve(path)),
    allowUnderscorePrefixedRegistration:
      plain.allowUnderscorePrefixedRegistration || plain.allowUnderscorePrefixedLocalpart,
    ipRangeBlacklist: source.values.has('ip_range_blacklist')
      ? plain.ipRangeBlacklist
      : (plain.federationIpRangeBlacklist ?? plain.ipRangeBlacklist),
    registrationSharedSecret: secretOf('registration_shared_secret', plain.registrationSharedSecret,
      plain.registrationSharedSecretPath, { report, mayMake: mayWrite }),
    turnSharedSecret: secretOf('turn_shared_secret', plain.turnSharedSecret, plain.turnSharedSecretPath,
      { report, mayMake: false }),
    userConsent: settleConsent(plain.userConsent, report),
    formSecret: settleFormSecret(plain, dataDir, { report, mayMake: mayWrite }),
    rc: settleRates(source, report),
    sources: source.files,
  }
}

function settleServerName(plain: Plain, source: Source, report: Report): ServerName {
  const name = plain.serverName ?? DEFAULT_NAME
  if (plain.serverName === null && source.files.length > 0) {
    complain(report, 'error', ['server_name'], 'server_name is missing. Write for instance: server_name: example.org')
  } else if (!isServerName(name)) {
    complain(report, 'error', ['server_name'],
      `${name} is no server name. It is a host such as example.org, perhaps with a port, and without https://`)
  }
  return name as ServerName
}

/** A bare server is reached where it listens; one with a name of its own, at that name. */
function settleBaseUrl(plain: Plain, serverName: ServerName, report: Report): string {
  const port = plain.listeners.find((listener) => listener.port !== null)?.port ?? 8008
  const fallback = serverName === DEFAULT_NAME ? `http://localhost:${port}/` : `https://${serverName}/`
  const url = plain.publicBaseurl ?? fallback
  if (!/^https?:\/\/[^/\s?#]+[^\s?#]*$/.test(url)) {
    complain(report, 'error', ['public_baseurl'],
      `public_baseurl must be an address such as https://matrix.example.org/, not ${url}`)
  }
  return url.endsWith('/') ? url : `${url}/`
}

function settleDatabase(plain: Plain, report: Report): Pick<Config, 'dataDir' | 'database'> {
  if (plain.database.name === 'psycopg2') {
    complain(report, 'error', ['database', 'name'],
      'The database is SQLite, always. Write database: {name: sqlite3}, or remove the option')
  }
  const file = plain.database.args['database']
  if (file !== undefined && typeof file !== 'string') {
    complain(report, 'error', ['database', 'args', 'database'], 'database.args.database must be the name of a file')
  }
  const named = typeof file === 'string' ? file : undefined
  const isInMemory = named === ':memory:'
  const dataDir = resolve(plain.dataDir ?? (named === undefined || isInMemory ? 'data' : dirname(resolve(named))))
  const path = isInMemory ? ':memory:' : resolve(named ?? join(dataDir, 'warren.db'))
  return { dataDir, database: { path, synchronous: plain.database.synchronous } }
}

function settleTls(plain: Plain, report: Report): Config['tls'] {
  const { tlsCertificatePath: certificate, tlsPrivateKeyPath: key } = plain
  if (certificate !== null && key !== null) {
    return { certificatePath: resolve(certificate), privateKeyPath: resolve(key) }
  }
  const index = plain.listeners.findIndex(({ tls }) => tls)
  if (index >= 0) {
    complain(report, 'error', ['listeners', index, 'tls'],
      'A listener with tls needs tls_certificate_path and tls_private_key_path')
  }
  return null
}

/** Synapse's interlock: a server that anyone may join is never an accident. */
function settleRegistration(plain: Plain, report: Report): void {
  const isVerified = plain.registrationRequiresToken || plain.enableRegistrationWithoutVerification
  if (!plain.enableRegistration || isVerified) return
  complain(report, 'error', ['enable_registration'],
    'enable_registration lets anyone make any number of accounts, which draws spammers. Set ' +
    'registration_requires_token: true, or if you do mean it, enable_registration_without_verification: true')
}

/** A key that Synapse made beside the configuration stays in use. */
function settleSigningKeyPath(plain: Plain, source: Source, serverName: ServerName, dataDir: string): string {
  if (plain.signingKeyPath !== null) return resolve(plain.signingKeyPath)
  const first = source.files[0]
  const beside = first === undefined ? undefined : join(dirname(first), `${serverName}.signing.key`)
  return beside !== undefined && existsSync(beside) ? beside : join(dataDir, 'signing.key')
}

function secretOf(
  name: string,
  inline: string | null,
  path: string | null,
  { report, mayMake }: { report: Report; mayMake: boolean },
): string | null {
  if (path === null) return inline
  if (inline !== null) {
    complain(report, 'error', [name], `${name} and ${name}_path exclude each other; keep one`)
    return inline
  }
  const full = resolve(path)
  if (statSync(full, { throwIfNoEntry: false })?.isDirectory()) {
    complain(report, 'error', [`${name}_path`], `${full} is a folder; ${name}_path must be a file`)
    return null
  }
  return readSecretFile(full, mayMake)
}

/** Needed for the links to the terms alone; Synapse's secret keeps the links good that it has sent. */
function settleFormSecret(plain: Plain, dataDir: string, how: { report: Report; mayMake: boolean }): string | null {
  const isNeeded = plain.userConsent.version !== null && plain.formSecret === null
  const path = plain.formSecretPath ?? (isNeeded ? join(dataDir, 'form.secret') : null)
  return secretOf('form_secret', plain.formSecret, path, how)
}

function settleRates(source: Source, report: Report): RateLimits {
  const rates = readOptions(rateOptions, source, report) as ConfigOf<typeof rateOptions>
  const named = Object.fromEntries(Object.entries(rateOptions).map(([name]) => {
    return [camel(name.slice('rc_'.length)), rates[camel(name) as keyof typeof rates]]
  })) as unknown as RateLimits
  const adminRedaction = source.values.has('rc_admin_redaction') ? rates.rcAdminRedaction : rates.rcMessage
  return { ...named, adminRedaction, presence: rates.rcPresence.perUser }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const each of Object.values(value)) deepFreeze(each)
  }
  return value
}
