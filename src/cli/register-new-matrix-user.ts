import { userInfo } from 'node:os'

import { registrationMac } from '#admin/register.ts'
import { examineConfig, type Config } from '#config'

import { configPaths } from './configuration.ts'
import { EXIT_FINE, Failure, isFlagSet, tell, textFlag, UsageMistake, type Command, type Invocation } from './command.ts'
import { askPassword, PASSWORD_FLAGS } from './password.ts'

const ANSWER_LIMIT_MS = 30_000
const REGISTER = '/_synapse/admin/v1/register'

/** `warren register-new-matrix-user`: Synapse's script of that name, over the shared-secret endpoint. */
export const registerNewMatrixUserCommand: Command = {
  name: 'register-new-matrix-user',
  words: '[SERVER_URL]',
  count: [0, 1],
  summary: 'make an account over HTTP with registration_shared_secret, as the script of Synapse does',
  flags: [
    { long: 'user', short: 'u', value: 'NAME', about: 'the user name; asked for when missing' },
    ...PASSWORD_FLAGS,
    { long: 'user_type', short: 't', value: 'TYPE', about: 'bot or support' },
    { long: 'admin', short: 'a', about: 'an admin' },
    { long: 'no-admin', about: 'not an admin' },
    { long: 'exists-ok', about: 'it is fine if the user exists already' },
    { long: 'shared-secret', short: 'k', value: 'SECRET', about: 'the secret, instead of that in the configuration' },
  ],
  async run(invocation) {
    if (isFlagSet(invocation, 'admin') && isFlagSet(invocation, 'no-admin')) {
      throw new UsageMistake(['Give --admin or --no-admin, not both'])
    }
    const { config } = examineConfig(configPaths(invocation))
    const secret = textFlag(invocation, 'shared-secret') ?? config.registrationSharedSecret
    if (secret === null) {
      throw new Failure([
        'No shared secret: the configuration has no registration_shared_secret',
        'Set it there, give it with -k SECRET, or use: warren user create',
      ])
    }
    const url = (invocation.words[0] ?? localUrl(config)).replace(/\/$/, '')
    const username = await askName(invocation)
    const password = await askPassword(invocation)
    const admin = isFlagSet(invocation, 'admin') ? true : isFlagSet(invocation, 'no-admin') ? false : await askAdmin(invocation)
    const userType = textFlag(invocation, 'user_type')
    const { nonce } = await send(url, {})
    if (typeof nonce !== 'string') throw new Failure([`${url} gives no nonce; is it a homeserver with a shared secret?`])
    const fields = { nonce, username, password, admin, ...(userType ? { user_type: userType } : {}) }
    const answer = await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...fields, mac: registrationMac(secret, fields), inhibit_login: true }),
    }, isFlagSet(invocation, 'exists-ok'))
    tell(invocation, answer, [typeof answer['user_id'] === 'string' ? `Made ${answer['user_id']}` : `${username} exists already`])
    return EXIT_FINE
  },
}

async function askName({ terminal, ...rest }: Invocation): Promise<string> {
  const given = textFlag({ terminal, ...rest }, 'user')
  if (given !== undefined) return given
  const usual = userInfo().username
  const typed = await terminal.ask(`User name [${usual}]: `, false)
  if (typed === null) throw new Failure(['No user name was given; use -u NAME'])
  return typed.trim() === '' ? usual : typed.trim()
}

async function askAdmin({ terminal }: Invocation): Promise<boolean> {
  if (!terminal.isInteractive) return false
  return /^y/i.test((await terminal.ask('An admin? [no]: ', false)) ?? '')
}

/** The first listener for clients that has a port. */
function localUrl({ listeners }: Config): string {
  const listener = listeners.find(({ port, resources }) => port !== null && resources.includes('client'))
  if (!listener) return 'http://localhost:8008'
  const address = listener.bindAddresses[0] ?? 'localhost'
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address.includes(':') ? `[${address}]` : address
  return `${listener.tls ? 'https' : 'http'}://${host}:${listener.port}`
}

/** A certificate is for the server's public name, so on this machine's own addresses it proves nothing. */
const isThisMachine = (url: string): boolean => /^https:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/.test(url)

async function send(url: string, init: RequestInit, isInUseFine = false): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`${url}${REGISTER}`, {
    ...init,
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    ...(isThisMachine(url) ? { tls: { rejectUnauthorized: false } } : {}),
  }).catch((failure: unknown) => {
    throw new Failure([`${url} does not answer: ${String(failure instanceof Error ? failure.message : failure)}`])
  })
  const answer = (await response.json().catch(() => ({}))) as Readonly<Record<string, unknown>>
  if (response.ok || (isInUseFine && answer['errcode'] === 'M_USER_IN_USE')) return answer
  throw new Failure([`${url} refused (${response.status}): ${String(answer['error'] ?? 'without saying why')}`])
}
