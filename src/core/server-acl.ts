import type { ServerName } from '#schema/identifiers.ts'
import { compileGlob, type GlobMatcher } from './glob.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { allow, deny, type Verdict } from './verdict.ts'

/**
 * May `server` take part in a room whose `m.room.server_acl` has this content? `acl` is undefined when the
 * room has no such event. The content is foreign JSON, so whatever is not of the right shape counts as
 * absent.
 * spec: client-server-api#mroomserver_acl and server-server-api#server-access-control-lists-acls
 */
export function checkServerAcl(acl: JsonObject | undefined, server: ServerName): Verdict {
  // 1. If there is no m.room.server_acl event in the room state, allow.
  if (!acl) return allow
  const { allowIpLiterals, denied, allowed } = compiledAcl(acl)
  const host = server.replace(/:\d+$/, '')

  // 2. If the server name is an IP literal, and allow_ip_literals is present and false, deny.
  if (!allowIpLiterals && isIpLiteral(host))
    return deny('acl.2', 'Servers named by an IP address are not allowed here')

  // 3. If the server name matches an entry in the deny list, deny.
  if (denied.some((matches) => matches(host))) return deny('acl.3', `${host} is on the room's deny list`)

  // 4. If the server name matches an entry in the allow list, allow. 5. Otherwise, deny.
  return allowed.some((matches) => matches(host))
    ? allow
    : deny('acl.5', `${host} is not on the room's allow list`)
}

type CompiledAcl = Readonly<{
  allowIpLiterals: boolean
  denied: readonly GlobMatcher[]
  allowed: readonly GlobMatcher[]
}>

// A list may hold thousands of globs and is asked about with every event of the room.
const compiled = new WeakMap<JsonObject, CompiledAcl>()

function compiledAcl(acl: JsonObject): CompiledAcl {
  const known = compiled.get(acl)
  if (known) return known
  const fresh = {
    allowIpLiterals: acl.allow_ip_literals !== false,
    denied: globsOf(acl.deny),
    allowed: globsOf(acl.allow),
  }
  compiled.set(acl, fresh)
  return fresh
}

function globsOf(list: unknown): GlobMatcher[] {
  if (!Array.isArray(list)) return []
  return list
    .filter((entry) => typeof entry === 'string')
    .map((pattern) => compileGlob(pattern, { ignoreCase: true }))
}

const isIpLiteral = (host: string): boolean => host.startsWith('[') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host)
