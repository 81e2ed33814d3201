import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { type Caller, house } from '#harness/house.ts'
import { bodiesOf, bringIn, done, inRoom, makeRoom, say, setState, type ShownEvent, stateContent, wholeState } from '#harness/rooms.ts'
import type { RoomId } from '#schema/identifiers.ts'

const VERSIONS = ['6', '11', '12'] as const

async function upgrade(caller: Caller, roomId: RoomId, version: string, more: object = {}): Promise<RoomId> {
  return (await done(caller, 'POST', inRoom(roomId, '/upgrade'), { new_version: version, ...more })).replacement_room as RoomId
}
const stateEvent = async (caller: Caller, roomId: RoomId, type: string): Promise<ShownEvent | undefined> =>
  (await wholeState(caller, roomId)).find((event) => event.type === type && event.state_key === '')

describe('an upgrade', () => {
  test.each(VERSIONS)('to version %s links the rooms with each other', async (version) => {
    const { alice } = await house()
    const old = await makeRoom(alice, { room_version: '10' })
    const fresh = await upgrade(alice, old, version)
    const tombstone = await stateEvent(alice, old, 'm.room.tombstone')
    expect(tombstone?.content).toMatchObject({ replacement_room: fresh, body: expect.any(String) as never })
    const create = await stateContent(alice, fresh, 'm.room.create')
    expect(create.room_version).toBe(version)
    // From version 12 on the room's id is the hash of this event, and the tombstone names that id.
    expect(create.predecessor).toEqual({ room_id: old, ...(version === '12' ? {} : { event_id: tombstone?.event_id }) })
  })

  test('to a version without privileged creators leaves them their power', async () => {
    const { alice, bob } = await house()
    const old = await makeRoom(alice, { room_version: '12', creation_content: { additional_creators: [bob.userId] } })
    const fresh = await upgrade(alice, old, '11')
    expect(await stateContent(alice, fresh, 'm.room.power_levels')).toMatchObject({ users: { [alice.userId]: 150, [bob.userId]: 150 } })
    await bringIn(alice, fresh, bob)
  })

  test('keeps the link true when somebody speaks between the draft and the tombstone', async () => {
    const { alice, server } = await house()
    const old = await makeRoom(alice, { room_version: '10' })
    const { tombstone } = await server.room(old).ask({ kind: 'draftTombstone', userId: alice.userId, replacementId: '!new:a.example' }, 'test')
    await say(alice, old, 'wait')
    const { eventId } = await server.room(old).ask({ kind: 'upgradeRoom', userId: alice.userId, tombstone }, 'test')
    expect(eventId).toBe(tombstone.eventId)
    const later = await say(alice, old, 'too late')
    const { chunk } = await done(alice, 'GET', inRoom(old, '/messages?dir=b&limit=4'))
    expect(bodiesOf(chunk)).toEqual(['too late', 'm.room.power_levels', expect.any(String), expect.any(String)])
    expect((chunk as ShownEvent[])[0]?.event_id).toBe(later)
    expect(await server.room(old).ask({ kind: 'inspectRoom' }, 'test')).toMatchObject({ extremities: [later] })
  })

  test.each(VERSIONS)('to version %s carries the state over, whatever power it takes to send it', async (version) => {
    const { alice, bob } = await house()
    const old = await makeRoom(alice, { room_version: '10', name: 'Den', topic: 'Holes' })
    await bringIn(alice, old, bob)
    const contents = {
      'm.room.avatar': { url: 'mxc://a.example/x' },
      'm.room.encryption': { algorithm: 'm.megolm.v1.aes-sha2' },
      'm.room.guest_access': { guest_access: 'forbidden' },
      'm.room.history_visibility': { history_visibility: 'joined' },
      'm.room.join_rules': { join_rule: 'knock' },
      'm.room.server_acl': { allow: ['*'], deny: ['evil.example'] },
    }
    for (const [type, content] of Object.entries(contents)) await setState(alice, old, type, content)
    await done(alice, 'POST', inRoom(old, '/ban'), { user_id: '@mallory:c.example', reason: 'spam' })
    const levels = { ...(await stateContent(alice, old, 'm.room.power_levels')), users: { [alice.userId]: 100, [bob.userId]: 50, '@zed:c.example': 40 }, events: { 'm.room.tombstone': 50, 'm.room.name': 100, 'm.room.power_levels': 100 }, ban: 90 }
    await setState(alice, old, 'm.room.power_levels', levels)
    const fresh = await upgrade(bob, old, version)
    for (const [type, content] of Object.entries({ ...contents, 'm.room.name': { name: 'Den' } })) expect(await stateContent(bob, fresh, type)).toEqual(content)
    expect(await stateContent(bob, fresh, 'm.room.member', '@mallory:c.example')).toEqual({ membership: 'ban', reason: 'spam' })
    const users = version === '12' ? { [alice.userId]: 100, '@zed:c.example': 40 } : levels.users
    expect(await stateContent(bob, fresh, 'm.room.power_levels')).toEqual({ ...levels, users })
    // bob may not change the levels of the old room, and the upgrade does not fail for that.
    expect(await stateContent(bob, old, 'm.room.power_levels')).toEqual(levels)
  })

  test('keeps levels above a hundred', async () => {
    const { alice } = await house()
    const old = await makeRoom(alice, { room_version: '10', power_level_content_override: { users: { [alice.userId]: 500 } } })
    const fresh = await upgrade(alice, old, '11')
    expect((await stateContent(alice, fresh, 'm.room.power_levels')).users).toEqual({ [alice.userId]: 500 })
  })

  test('silences the old room', async () => {
    const { alice, bob } = await house()
    const old = await makeRoom(alice, { room_version: '11' })
    await bringIn(alice, old, bob)
    await upgrade(alice, old, '12')
    expect(await stateContent(alice, old, 'm.room.power_levels')).toMatchObject({ events_default: 50, invite: 50 })
    expect(await bob.answer('PUT', inRoom(old, '/send/m.room.message/x'), { body: 'hi' })).toMatchObject({ status: 403 })
  })

  test('takes the addresses and the entry in the directory along', async () => {
    const { alice } = await house({ room_list_publication_rules: [{ action: 'allow' }] })
    const old = await makeRoom(alice, { room_version: '11', room_alias_name: 'den', visibility: 'public' })
    await done(alice, 'PUT', '/v3/directory/room/%23hall%3Aa.example', { room_id: old })
    await setState(alice, old, 'm.room.canonical_alias', { alias: '#den:a.example', alt_aliases: ['#hall:a.example'] })
    const fresh = await upgrade(alice, old, '12')
    for (const alias of ['%23den%3Aa.example', '%23hall%3Aa.example'])
      expect(await done(alice, 'GET', `/v3/directory/room/${alias}`)).toMatchObject({ room_id: fresh })
    expect(await stateContent(alice, fresh, 'm.room.canonical_alias')).toEqual({ alias: '#den:a.example', alt_aliases: ['#hall:a.example'] })
    expect(await stateContent(alice, old, 'm.room.canonical_alias')).toEqual({})
    const visibility = async (roomId: RoomId) => (await done(alice, 'GET', `/v3/directory/list/room/${encodeURIComponent(roomId)}`)).visibility
    expect([await visibility(old), await visibility(fresh)]).toEqual(['private', 'public'])
  })

  test('carries tags and direct chats over, for everyone here who was in the room', async () => {
    const { alice, bob, server } = await house()
    const old = await makeRoom(alice, { room_version: '11' })
    await bringIn(alice, old, bob)
    await done(bob, 'PUT', `/v3/user/${bob.userId}/rooms/${encodeURIComponent(old)}/tags/m.favourite`, { order: 0.5 })
    await done(alice, 'PUT', `/v3/user/${alice.userId}/account_data/m.direct`, { [bob.userId]: [old], '@zed:c.example': ['!other'] })
    const fresh = await upgrade(alice, old, '12')
    await server.settled()
    expect(await done(bob, 'GET', `/v3/user/${bob.userId}/rooms/${encodeURIComponent(fresh)}/tags`)).toEqual({ tags: { 'm.favourite': { order: 0.5 } } })
    expect(await done(alice, 'GET', `/v3/user/${alice.userId}/account_data/m.direct`)).toEqual({ [bob.userId]: [old, fresh], '@zed:c.example': ['!other'] })
  })

  test('carries push rules about the room over', async () => {
    const { alice, bob, server } = await house()
    const old = await makeRoom(alice, { room_version: '11' })
    await bringIn(alice, old, bob)
    const rule = (kind: string, ruleId: string) => `/v3/pushrules/global/${kind}/${encodeURIComponent(ruleId)}`
    const about = (roomId: string) => [{ kind: 'event_match', key: 'room_id', pattern: roomId }]
    await done(bob, 'PUT', rule('room', old), { actions: ['notify'] })
    await done(bob, 'PUT', rule('override', old), { actions: [], conditions: about(old) })
    await done(bob, 'PUT', `${rule('override', old)}/enabled`, { enabled: false })
    await done(bob, 'PUT', rule('override', 'org.example.mine'), { actions: [], conditions: about(old) })
    await done(bob, 'PUT', rule('sender', alice.userId), { actions: ['notify'] })
    const fresh = await upgrade(alice, old, '12')
    await server.settled()
    expect(await done(bob, 'GET', rule('room', fresh))).toMatchObject({ rule_id: fresh, actions: ['notify'], enabled: true })
    expect(await done(bob, 'GET', rule('override', fresh))).toMatchObject({ conditions: about(fresh), enabled: false })
    expect(await done(bob, 'GET', rule('room', old))).toMatchObject({ rule_id: old })
  })

  test('of a space keeps its children', async () => {
    const { alice } = await house()
    const old = await makeRoom(alice, { room_version: '11', creation_content: { type: 'm.space', 'm.federate': false } })
    await setState(alice, old, 'm.space.child', { via: ['a.example'] }, '!child:a.example')
    await setState(alice, old, 'm.space.child', {}, '!gone:a.example')
    const fresh = await upgrade(alice, old, '12')
    expect(await stateContent(alice, fresh, 'm.room.create')).toMatchObject({ type: 'm.space', 'm.federate': false })
    expect((await wholeState(alice, fresh)).filter(({ type }) => type === 'm.space.child').map(({ state_key: key }) => key)).toEqual(['!child:a.example'])
  })

  test('takes additional creators where the version knows of them', async () => {
    const { alice, bob } = await house()
    const old = await makeRoom(alice, { room_version: '11' })
    const wanted = { additional_creators: [bob.userId, alice.userId] }
    expect(await stateContent(alice, await upgrade(alice, old, '12', wanted), 'm.room.create')).toMatchObject({ additional_creators: [bob.userId] })
    expect(await stateContent(alice, await upgrade(alice, old, '11', wanted), 'm.room.create')).not.toHaveProperty('additional_creators')
    expect(await alice.answer('POST', inRoom(old, '/upgrade'), { new_version: '12', additional_creators: ['bob'] })).toMatchObject({
      status: 400, body: { errcode: 'M_INVALID_PARAM' },
    })
  })
})

describe('an upgrade that is asked for again', () => {
  test('at once or a little later is the one that was made', async () => {
    const { alice } = await house()
    const old = await makeRoom(alice)
    const [one, other] = await Promise.all([upgrade(alice, old, '11'), upgrade(alice, old, '11')])
    expect(other).toBe(one)
    expect(await upgrade(alice, old, '11')).toBe(one)
    const { joined_rooms: rooms } = await done(alice, 'GET', '/v3/joined_rooms')
    expect(new Set(rooms as RoomId[])).toEqual(new Set([old, one]))
  })

  test('for another version, by somebody else or much later makes another room', async () => {
    const clock = manualClock(1_700_000_000_000)
    const { alice, bob } = await house({}, { clock })
    const old = await makeRoom(alice, { room_version: '10', power_level_content_override: { users: { [alice.userId]: 100, [bob.userId]: 100 } } })
    await bringIn(alice, old, bob)
    const made = [await upgrade(alice, old, '11'), await upgrade(alice, old, '12'), await upgrade(bob, old, '12')]
    clock.advance(5 * 60_000 + 1)
    made.push(await upgrade(bob, old, '12'))
    expect(new Set(made).size).toBe(4)
  })
})

describe('an upgrade is refused', () => {
  test('to a version that is not known, of a room that is not, without a version', async () => {
    const { alice } = await house()
    const old = await makeRoom(alice)
    expect(await alice.answer('POST', inRoom(old, '/upgrade'), { new_version: 'none' })).toMatchObject({ status: 400, body: { errcode: 'M_UNSUPPORTED_ROOM_VERSION' } })
    expect(await alice.answer('POST', inRoom('!fail:unknown', '/upgrade'), { new_version: '11' })).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect(await alice.answer('POST', inRoom(old, '/upgrade'), {})).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } })
  })

  test('to those who may not send tombstones, and leaves nothing behind', async () => {
    const { alice, bob, register, server } = await house()
    const old = await makeRoom(alice)
    await bringIn(alice, old, bob)
    const rooms = () => server.store.db.query('SELECT count(*) AS total FROM rooms').get()
    const before = rooms()
    for (const caller of [bob, await register('mallory')])
      expect(await caller.answer('POST', inRoom(old, '/upgrade'), { new_version: '11' })).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(rooms()).toEqual(before)
    expect(await stateEvent(alice, old, 'm.room.tombstone')).toBeUndefined()
  })
})
