import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { done, inRoom, makeRoom, setState } from '#harness/rooms.ts'

const path = (address: string): string => `/v1/room_summary/${encodeURIComponent(address)}`

describe('the summary of a room', () => {
  test('says what there is to know before one enters, by id and by alias', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { preset: 'public_chat', room_alias_name: 'den', name: 'Den', topic: 'Holes' })
    await setState(alice, roomId, 'm.room.avatar', { url: 'mxc://a.example/pic' })
    await setState(alice, roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' })
    const summary = {
      room_id: roomId,
      name: 'Den',
      topic: 'Holes',
      canonical_alias: '#den:a.example',
      avatar_url: 'mxc://a.example/pic',
      encryption: 'm.megolm.v1.aes-sha2',
      num_joined_members: 1,
      world_readable: false,
      guest_can_join: false,
      join_rule: 'public',
      room_version: '12',
      membership: 'leave',
    }
    expect(await done(bob, 'GET', path(roomId))).toEqual(summary)
    expect(await done(bob, 'GET', path('#den:a.example'))).toEqual(summary)
    expect(await done(alice, 'GET', path(roomId))).toEqual({ ...summary, membership: 'join' })
  })

  test('K-01: is told to strangers too, without a membership', async () => {
    const { alice, stranger } = await house()
    const roomId = await makeRoom(alice, { preset: 'public_chat' })
    expect(await done(stranger, 'GET', path(roomId))).not.toHaveProperty('membership')
    await setState(alice, roomId, 'm.room.join_rules', { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: roomId }] })
    expect(await stranger.answer('GET', path(roomId))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' })
    expect(await done(stranger, 'GET', path(roomId))).toMatchObject({ world_readable: true, allowed_room_ids: [roomId] })
  })

  test('has the older names on the older paths', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice)
    await setState(alice, roomId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' })
    for (const rest of [`summary/${encodeURIComponent(roomId)}`, `rooms/${encodeURIComponent(roomId)}/summary`])
      expect(await done(alice, 'GET', `/unstable/im.nheko.summary/${rest}?via=b.example&via=c.example`)).toMatchObject({
        room_id: roomId, membership: 'join', 'im.nheko.summary.room_version': '12', 'im.nheko.summary.encryption': 'm.megolm.v1.aes-sha2',
      })
  })

  test('is not there for rooms that are not, or that one may not see', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    for (const address of [roomId, '!none', '#none:a.example'])
      expect(await bob.answer('GET', path(address))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    await done(alice, 'POST', inRoom(roomId, '/invite'), { user_id: bob.userId })
    expect(await done(bob, 'GET', path(roomId))).toMatchObject({ membership: 'invite', join_rule: 'invite' })
    expect(await bob.answer('GET', path('den'))).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
  })

  test('takes what is no text for not set', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice)
    await setState(alice, roomId, 'm.room.name', { name: ['x'] })
    await setState(alice, roomId, 'm.room.topic', {})
    const summary = await done(alice, 'GET', path(roomId))
    expect([summary.name, summary.topic]).toEqual([undefined, undefined])
  })
})
