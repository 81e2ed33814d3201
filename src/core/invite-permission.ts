import { serverNameOf, type UserId } from '#schema/identifiers.ts'
import { ownValue } from './event-content.ts'
import { compileGlob } from './glob.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'

/** `ignore`: the inviter is told nothing, and the invited user is not shown the invite. */
export type InvitePermission = 'allow' | 'ignore' | 'block'

/** What a user has stored about invites; absent where there is nothing. */
export type InviteConfigs = Readonly<{
  /** `m.invite_permission_config`, or the name that it had before. */
  permission: JsonObject | undefined
  /** `org.matrix.msc4155.invite_permission_config`. */
  rules: JsonObject | undefined
}>

// For users and then for servers; the first list that names the inviter decides.
const LISTS: readonly (readonly [list: string, about: 'user' | 'server', permission: InvitePermission])[] = [
  ['allowed_users', 'user', 'allow'],
  ['ignored_users', 'user', 'ignore'],
  ['blocked_users', 'user', 'block'],
  ['allowed_servers', 'server', 'allow'],
  ['ignored_servers', 'server', 'ignore'],
  ['blocked_servers', 'server', 'block'],
]

/**
 * Whether someone may invite the user who has stored this. A block of all invites outweighs any rule.
 * spec: client-server-api#invite-permission, and MSC4155 for the rules.
 */
export function invitePermission({ permission, rules }: InviteConfigs, inviter: UserId): InvitePermission {
  if (ownValue(permission, 'default_action') === 'block') return 'block'
  if (!rules || ownValue(rules, 'enabled') === false) return 'allow'
  const names = { user: inviter, server: serverNameOf(inviter).replace(/:\d+$/, '') }
  const found = LISTS.find(([list, about]) => isNamed(ownValue(rules, list), names[about]))
  return found ? found[2] : 'allow'
}

const isNamed = (list: Json | undefined, name: string): boolean =>
  Array.isArray(list) && list.some((glob) => typeof glob === 'string' && compileGlob(glob)(name))
