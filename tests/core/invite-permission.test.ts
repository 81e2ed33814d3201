import { expect, test } from 'bun:test'
import { type InviteConfigs, invitePermission } from '#core/invite-permission.ts'

const MALLORY = '@mallory:c.example:8448'

test.each<[string, Partial<InviteConfigs>, ReturnType<typeof invitePermission>]>([
  ['nothing stored lets everyone invite', {}, 'allow'],
  ['a block blocks all', { permission: { default_action: 'block' } }, 'block'],
  ['another default action blocks none', { permission: { default_action: 'allow' } }, 'allow'],
  ['a block outweighs a rule that allows', { permission: { default_action: 'block' }, rules: { allowed_users: ['*'] } }, 'block'],
  ['a user is blocked by glob', { rules: { blocked_users: ['@mall*'] } }, 'block'],
  ['a user is ignored', { rules: { ignored_users: [MALLORY] } }, 'ignore'],
  ['an allowed user may invite from a blocked server', { rules: { allowed_users: [MALLORY], blocked_servers: ['*'] } }, 'allow'],
  ['to be ignored outweighs to be blocked', { rules: { ignored_users: ['*'], blocked_users: ['*'] } }, 'ignore'],
  ['a rule for users outweighs one for servers', { rules: { blocked_users: [MALLORY], allowed_servers: ['c.example'] } }, 'block'],
  ['a server is known without its port', { rules: { blocked_servers: ['c.example'] } }, 'block'],
  ['an allowed server outweighs ignored and blocked ones', { rules: { allowed_servers: ['c.*'], ignored_servers: ['*'], blocked_servers: ['*'] } }, 'allow'],
  ['a server is ignored', { rules: { ignored_servers: ['*.example'] } }, 'ignore'],
  ['rules that are off change nothing', { rules: { enabled: false, blocked_users: ['*'] } }, 'allow'],
  ['what is no list names nobody', { rules: { blocked_users: '*', blocked_servers: [1, null] } }, 'allow'],
])('%s', (_says, configs, permission) => {
  expect(invitePermission({ permission: undefined, rules: undefined, ...configs }, MALLORY)).toBe(permission)
})
