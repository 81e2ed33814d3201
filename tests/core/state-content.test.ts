import { expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import { refuseMemberContent, refuseMessageType, refuseStateContent } from '#core/state-content.ts'
import type { ServerName } from '#schema/identifiers.ts'

const refusalOf = (type: string, content: object, stateKey = ''): string | undefined =>
  refuseStateContent({ type, stateKey, content: content as JsonObject, roomId: '!den:a.example', serverName: 'a.example' as ServerName })?.errcode

test.each([
  ['integers everywhere', { ban: 50, users: { '@a:b': 1 }, events: {}, notifications: { room: 50 } }, undefined],
  ['a level that is text', { ban: '50' }, 'M_BAD_JSON'],
  ['a level that is null', { kick: null }, 'M_BAD_JSON'],
  ['a fraction', { invite: 0.5 }, 'M_BAD_JSON'],
  ['a user’s level that is text', { users: { '@a:b': '1' } }, 'M_BAD_JSON'],
  ['users that are a list', { users: [] }, 'M_BAD_JSON'],
  ['keys that nobody knows', { historical: 'x' }, undefined],
] as const)('power levels: %s', (_says, content, errcode) => {
  expect(refusalOf('m.room.power_levels', content)).toBe(errcode as string)
})

test.each([
  ['one that lets this server in', { allow: ['*'], deny: ['evil.example'] }, undefined],
  ['G-28: one that denies it', { allow: ['*'], deny: ['*.example'] }, 'M_BAD_JSON'],
  ['one that allows nobody', {}, 'M_BAD_JSON'],
] as const)('server ACL: %s', (_says, content, errcode) => {
  expect(refusalOf('m.room.server_acl', content)).toBe(errcode as string)
})

test('a tombstone may name another room but not its own', () => {
  expect(refusalOf('m.room.tombstone', { replacement_room: '!den:a.example' })).toBe('M_INVALID_PARAM')
  expect(refusalOf('m.room.tombstone', { replacement_room: '!next:a.example' })).toBeUndefined()
})

test.each(['m.room.retention', 'org.matrix.msc1763.retention'])('%s must make sense', (type) => {
  expect(refusalOf(type, { max_lifetime: '1d' })).toBe('M_BAD_JSON')
  expect(refusalOf(type, { min_lifetime: 2, max_lifetime: 1 })).toBe('M_BAD_JSON')
  expect(refusalOf(type, { min_lifetime: 1, max_lifetime: 2 })).toBeUndefined()
})

test.each([
  ['m.room.tombstone', 'M_INVALID_PARAM'],
  ['m.room.name', 'M_INVALID_PARAM'],
  ['m.room.topic', 'M_INVALID_PARAM'],
  ['m.room.message', undefined],
  ['org.example.any', undefined],
] as const)('%s as a message', (type, errcode) => {
  expect(refuseMessageType(type)?.errcode).toBe(errcode as string)
})

test.each([
  ['a name and a picture', { membership: 'join', displayname: 'Alice', avatar_url: 'mxc://a.example/a' }, undefined],
  ['a name that is taken away', { membership: 'join', displayname: null }, undefined],
  ['a name that is no text', { membership: 'join', displayname: 5 }, 'M_BAD_JSON'],
  ['a picture that is no text', { membership: 'join', avatar_url: {} }, 'M_BAD_JSON'],
] as const)('a member event with %s', (_says, content, errcode) => {
  expect(refuseMemberContent(content)?.errcode).toBe(errcode as string)
})

test('other state, and the same types under a key, are the sender’s business', () => {
  expect(refusalOf('m.room.name', { name: 5 })).toBeUndefined()
  expect(refusalOf('m.room.power_levels', { ban: 'x' }, 'key')).toBeUndefined()
})
