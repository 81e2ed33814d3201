import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { camel } from '#config/reading.ts'
import { plainOptions } from '#config/table.ts'
import { rateOptions } from '#config/options-rates.ts'

/** Options that src/config.ts itself turns into another: who reads that one reads these. */
const FOLDED: Readonly<Record<string, string>> = {
  tls_certificate_path: 'tls',
  tls_private_key_path: 'tls',
  use_presence: 'presence',
  registration_shared_secret_path: 'registrationSharedSecret',
  turn_shared_secret_path: 'turnSharedSecret',
  form_secret_path: 'formSecret',
  allow_underscore_prefixed_localpart: 'allowUnderscorePrefixedRegistration',
  federation_ip_range_blacklist: 'ipRangeBlacklist',
  // Settled by the interlock, and by what is made of passwords.
  enable_registration_without_verification: 'enableRegistration',
  bcrypt_rounds: 'passwordConfig',
}

/** Options with a reading that no code outside the configuration looks at: whoever sets them gets nothing. */
export function unreadOptions(root: string): readonly string[] {
  const code = [...new Bun.Glob('{src,actors}/**/*.ts').scanSync({ cwd: root })]
    .filter((file) => !file.startsWith('src/config'))
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  const plain = Object.entries(plainOptions).filter(([, { reading }]) => reading !== null).map(([name]) => name)
  return [
    ...plain.filter((name) => !isRead(FOLDED[name] ?? camel(name), code)),
    ...Object.keys(rateOptions).filter((name) => !isRateRead(camel(name.slice('rc_'.length)), code)),
  ].toSorted()
}

/** `config.name`, or `{ name }` taken out of something called config, however deep that lies. */
const isRead = (name: string, code: string): boolean =>
  new RegExp(`[cC]onfig(?:\\.|: \\{[^{}]*\\b)${name}\\b`).test(code) ||
  new RegExp(`\\{[^{}]*\\b${name}\\b[^{}]*\\}(?:\\s*=\\s*[\\w.]*[cC]onfig\\b|\\s*:\\s*(?:Config\\b|Pick<Config))`).test(code)

const isRateRead = (name: string, code: string): boolean =>
  new RegExp(`\\b(?:rc|rates)(?:\\.${name}\\b|\\['${name}'\\])`).test(code)

/** Options that restrict or protect: while nothing acts on them, a server that sets them must not start. */
const PROTECTING = new Set([
  'allowed_avatar_mimetypes', 'federation_domain_whitelist', 'hs_disabled', 'limit_remote_rooms', 'max_avatar_size',
  'media_upload_limits', 'prevent_media_downloads_from', 'retention', 'require_auth_for_profile_requests',
  'limit_profile_requests_to_users_who_share_rooms', 'block_non_admin_invites', 'registration_requires_token',
  'require_membership_for_aliases', 'alias_creation_rules', 'room_list_publication_rules', 'session_lifetime',
])

const FILE = 'src/config/awaited.ts'

/** The list of awaited options as it must be now. */
export function awaitedText(root: string): string {
  const [head = ''] = readFileSync(join(root, FILE), 'utf8').split('= {')
  const lines = unreadOptions(root).map((name) => `  ${name}: '${PROTECTING.has(name) ? 'refused' : 'notYet'}',\n`)
  return `${head}= {\n${lines.join('')}}\n`
}

// `bun scripts/option-use.ts` brings the list up to date after the code has begun to read an option.
if (import.meta.main) await Bun.write(join(import.meta.dir, '..', FILE), awaitedText(join(import.meta.dir, '..')))
