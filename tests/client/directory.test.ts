import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { bringIn, done, inRoom, makeRoom, setState, stateContent } from '#harness/rooms.ts'

const refused = (status: number, errcode: string) => ({ status, body: { errcode } })
const aliasPath = (alias: string): string => `/v3/directory/room/${encodeURIComponent(alias)}`

describe('aliases', () => {
  test('are given, looked up by anyone, listed and deleted', async () => {
    const { alice, stranger } = await house()
    const roomId = await makeRoom(alice)
    expect(await done(alice, 'PUT', aliasPath('#☕:a.example'), { room_id: roomId })).toEqual({})
    expect(await done(stranger, 'GET', aliasPath('#☕:a.example'))).toEqual({ room_id: roomId, servers: ['a.example'] })
    expect(await done(alice, 'GET', inRoom(roomId, '/aliases'))).toEqual({ aliases: ['#☕:a.example'] })
    expect(await done(alice, 'GET', `/unstable/org.matrix.msc2432/rooms/${roomId}/aliases`)).toEqual({ aliases: ['#☕:a.example'] })
    expect(await done(alice, 'DELETE', aliasPath('#☕:a.example'))).toEqual({})
    expect(await alice.answer('GET', aliasPath('#☕:a.example'))).toMatchObject(refused(404, 'M_NOT_FOUND'))
  })

  test('G-76: know upper from lower case', async () => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { room_alias_name: 'Den' })
    expect(await alice.answer('GET', aliasPath('#den:a.example'))).toMatchObject(refused(404, 'M_NOT_FOUND'))
    expect(await done(alice, 'GET', aliasPath('#Den:a.example'))).toMatchObject({ room_id: roomId })
  })

  test.each([
    ['an alias that is taken', '#den:a.example', 409, 'M_UNKNOWN'],
    ['an alias of another server', '#fox:b.example', 400, 'M_INVALID_PARAM'],
    ['an alias with a space', '#a b:a.example', 400, 'M_INVALID_PARAM'],
    ['an alias longer than 255 bytes', `#${'é'.repeat(125)}:a.example`, 400, 'M_INVALID_PARAM'],
    ['what is no alias', 'den', 400, 'M_INVALID_PARAM'],
  ])('%s cannot be given', async (_says, alias, status, errcode) => {
    const { alice } = await house()
    const roomId = await makeRoom(alice, { room_alias_name: 'den' })
    expect(await alice.answer('PUT', aliasPath(alias), { room_id: roomId })).toMatchObject(refused(status, errcode))
  })

  test('are given by members, to rooms that exist', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice)
    expect(await bob.answer('PUT', aliasPath('#den:a.example'), { room_id: roomId })).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await alice.answer('PUT', aliasPath('#den:a.example'), { room_id: '!none:a.example' })).toMatchObject(refused(404, 'M_NOT_FOUND'))
    expect(await alice.answer('PUT', aliasPath('#den:a.example'), {})).toMatchObject(refused(400, 'M_MISSING_PARAM'))
    await bringIn(alice, roomId, bob)
    await done(bob, 'PUT', aliasPath('#den:a.example'), { room_id: roomId })
  })

  test('follow the rules of the server', async () => {
    const { alice } = await house({ alias_creation_rules: [{ alias: '#free-*', action: 'allow' }] })
    const roomId = await makeRoom(alice)
    expect(await alice.answer('PUT', aliasPath('#den:a.example'), { room_id: roomId })).toMatchObject(refused(403, 'M_FORBIDDEN'))
    expect(await alice.answer('POST', '/v3/createRoom', { room_alias_name: 'den' })).toMatchObject(refused(403, 'M_FORBIDDEN'))
    await done(alice, 'PUT', aliasPath('#free-den:a.example'), { room_id: roomId })
  })

  test('are deleted by whoever made them, by those with the power, by admins, and by nobody else', async () => {
    const { alice, bob, register } = await house()
    const [carol, root] = [await register('carol'), await register('root', { isAdmin: true })]
    const roomId = await makeRoom(alice)
    await bringIn(alice, roomId, bob, carol)
    await done(bob, 'PUT', aliasPath('#one:a.example'), { room_id: roomId })
    expect(await carol.answer('DELETE', aliasPath('#one:a.example'))).toMatchObject(refused(403, 'M_FORBIDDEN'))
    await done(bob, 'DELETE', aliasPath('#one:a.example'))
    for (const caller of [alice, root]) {
      await done(bob, 'PUT', aliasPath('#two:a.example'), { room_id: roomId })
      await done(caller, 'DELETE', aliasPath('#two:a.example'))
    }
    expect(await alice.answer('DELETE', aliasPath('#two:a.example'))).toMatchObject(refused(404, 'M_NOT_FOUND'))
  })

  test('that are deleted go from the room’s canonical alias, if its deleter may say so', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { room_alias_name: 'den' })
    await bringIn(alice, roomId, bob)
    await done(bob, 'PUT', aliasPath('#other:a.example'), { room_id: roomId })
    await setState(alice, roomId, 'm.room.canonical_alias', { alias: '#den:a.example', alt_aliases: ['#other:a.example'] })
    await done(bob, 'DELETE', aliasPath('#other:a.example'))
    expect(await stateContent(alice, roomId, 'm.room.canonical_alias')).toEqual({ alias: '#den:a.example', alt_aliases: ['#other:a.example'] })
    await done(alice, 'DELETE', aliasPath('#den:a.example'))
    expect(await stateContent(alice, roomId, 'm.room.canonical_alias')).toEqual({ alt_aliases: ['#other:a.example'] })
  })

  test('of a room are for its members to see, unless it is world readable', async () => {
    const { alice, bob } = await house()
    const roomId = await makeRoom(alice, { room_alias_name: 'den' })
    expect(await bob.answer('GET', inRoom(roomId, '/aliases'))).toMatchObject(refused(403, 'M_FORBIDDEN'))
    await setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' })
    expect(await done(bob, 'GET', inRoom(roomId, '/aliases'))).toEqual({ aliases: ['#den:a.example'] })
  })
})
