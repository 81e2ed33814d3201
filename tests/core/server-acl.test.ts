import { expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import { checkServerAcl } from '#core/server-acl.ts'
import type { ServerName } from '#schema/identifiers.ts'

const noMallory = { allow: ['*'], deny: ['mallory.example'] }
const noLiterals = { allow: ['*'], allow_ip_literals: false }

test.each<[string, JsonObject | undefined, string, string]>([
  ['no ACL lets everyone in', undefined, 'mallory.example', 'ok'],
  ['G-28: an ACL without an allow list lets nobody in', {}, 'a.example', 'acl.5'],
  ['deny outweighs allow', noMallory, 'mallory.example', 'acl.3'],
  ['others stay allowed', noMallory, 'a.example', 'ok'],
  ['G-28: a port makes no difference', noMallory, 'mallory.example:8448', 'acl.3'],
  ['case makes no difference in the name', noMallory, 'MALLORY.example', 'acl.3'],
  ['case makes no difference in the list', { allow: ['*'], deny: ['MALLORY.*'] }, 'mallory.example', 'acl.3'],
  ['a glob covers sub-domains', { allow: ['*'], deny: ['*.mallory.example'] }, 'x.mallory.example', 'acl.3'],
  [
    'a glob with a dot leaves out the domain itself',
    { allow: ['*'], deny: ['*.mallory.example'] },
    'mallory.example',
    'ok',
  ],
  ['a dot is not a wildcard', { allow: ['a.example'] }, 'axexample', 'acl.5'],
  ['IP literals are allowed unless refused', { allow: ['*'] }, '192.0.2.1', 'ok'],
  ['G-28: IPv4 literals can be refused', noLiterals, '192.0.2.1:8448', 'acl.2'],
  ['G-28: IPv6 literals can be refused', noLiterals, '[2001:db8::1]', 'acl.2'],
  ['G-28: IPv6 literals with a port can be refused', noLiterals, '[2001:db8::1]:8448', 'acl.2'],
  ['a name of digits and letters is no IP literal', noLiterals, '1.2.3.4.example', 'ok'],
  ['an IPv6 literal matches with its brackets', { allow: ['[2001:db8::1]'] }, '[2001:db8::1]:443', 'ok'],
  [
    'allow_ip_literals that is no boolean counts as true',
    { allow: ['*'], allow_ip_literals: 'no' },
    '192.0.2.1',
    'ok',
  ],
  ['a list that is no list counts as empty', { allow: '*' }, 'a.example', 'acl.5'],
  ['entries that are no strings are passed over', { allow: [7, null, 'a.*'], deny: [{}] }, 'a.example', 'ok'],
])('%s', (_says, acl, server, rule) => {
  const verdict = checkServerAcl(acl, server as ServerName)
  expect(verdict.ok ? 'ok' : verdict.rule).toBe(rule)
})
