import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { ICreateClientOpts, MatrixClient, MatrixEvent, Room } from 'matrix-js-sdk'
import { createClient, Direction, EventType, KnownMembership, MsgType, Preset, RelationType } from 'matrix-js-sdk'
import { logger } from 'matrix-js-sdk/lib/logger.js'
import { callServer } from '#harness/http-client.ts'
import { until } from '#harness/until.ts'
import type { ServerProcess } from '#harness/warren-process.ts'
import { binaryCommand, compiledBinary, startServer } from '#harness/warren-process.ts'

const START_LIMIT_MS = 60_000
/** More than what one test may await in vain, so that it ends with the name of what it awaited. */
const TEST_LIMIT_MS = 30_000
setDefaultTimeout(TEST_LIMIT_MS)
const PASSWORD = 'correct horse battery staple'

let server: ServerProcess
let alice: MatrixClient
let bob: MatrixClient
const clients: MatrixClient[] = []
let roomId = ''

/** The tests below are one conversation: each goes on where the one before ended. */
beforeAll(async () => {
  silence(logger)
  silence(logger.getChild('[MatrixRTCSessionManager]'))
  server = await startServer({ command: binaryCommand(compiledBinary()) })
  alice = await signUp('alice')
  bob = await signUp('bob')
}, START_LIMIT_MS)

afterAll(async () => {
  for (const client of clients) client.stopClient()
  await server.remove()
})

/** The library keeps a diary on the console; its loggers can be silenced, though their type does not say so. */
function silence(diary: object): void {
  if ('setLevel' in diary && typeof diary.setLevel === 'function') diary.setLevel('silent')
}

function quietClient(options: ICreateClientOpts): MatrixClient {
  const client = createClient(options)
  clients.push(client)
  return client
}

async function signUp(username: string): Promise<MatrixClient> {
  const stranger = quietClient({ baseUrl: server.url })
  const { user_id: userId, access_token: accessToken, device_id: deviceId } = await stranger.registerRequest(
    { username, password: PASSWORD, auth: { type: 'm.login.dummy' } })
  if (accessToken === undefined || deviceId === undefined) throw new Error('Registering signed nobody in')
  const client = quietClient({ baseUrl: server.url, userId, accessToken, deviceId })
  await client.startClient({ initialSyncLimit: 20 })
  await until(`${username}'s first sync`, () => client.isInitialSyncComplete())
  return client
}

const roomOf = (client: MatrixClient): Room => {
  const room = client.getRoom(roomId)
  if (room === null) throw new Error(`${client.getUserId()} does not see the room`)
  return room
}

const seenBy = (client: MatrixClient, eventId: string): Promise<MatrixEvent> =>
  until(`${eventId} at ${client.getUserId()}`, () => roomOf(client).findEventById(eventId))

const textsOf = (client: MatrixClient): unknown[] => roomOf(client).getLiveTimeline().getEvents()
  .filter((event) => event.getType() === 'm.room.message')
  .map((event): unknown => event.getContent()['body'])

async function say(client: MatrixClient, body: string): Promise<string> {
  return (await client.sendTextMessage(roomId, body)).event_id
}

describe('matrix-js-sdk', () => {
  test('signs up under the name it asked for', async () => {
    expect(await alice.whoami()).toEqual({
      user_id: `@alice:${server.serverName}`, device_id: alice.deviceId ?? '', is_guest: false,
    })
    expect(await alice.isUsernameAvailable('alice')).toBe(false)
  })

  test('makes a room, invites, and joins', async () => {
    roomId = (await alice.createRoom({ name: 'The den', preset: Preset.PrivateChat })).room_id
    await until('the new room', () => alice.getRoom(roomId)?.name === 'The den')
    await alice.invite(roomId, bob.getSafeUserId())
    await until('the invite', () => bob.getRoom(roomId)?.getMyMembership() === KnownMembership.Invite)
    expect(roomOf(bob).name).toBe('The den')
    await bob.joinRoom(roomId)
    await until('the join', () => roomOf(alice).getMember(bob.getSafeUserId())?.membership === KnownMembership.Join)
    await until('the room', () => roomOf(bob).getMyMembership() === KnownMembership.Join)
    expect(roomOf(bob).getVersion()).toBe('12')
  })

  test('shows a message to both, once, in order', async () => {
    const eventId = await say(alice, 'one')
    await seenBy(bob, eventId)
    await seenBy(alice, await say(bob, 'two'))
    await seenBy(bob, await say(alice, 'three'))
    await until('the echoes', () => textsOf(alice).length === 3)
    expect([textsOf(alice), textsOf(bob)]).toEqual([['one', 'two', 'three'], ['one', 'two', 'three']])
  })

  test('keeps what a reply answers', async () => {
    const question = await say(alice, 'Who is there?')
    await seenBy(bob, question)
    const { event_id: answer } = await bob.sendMessage(roomId, {
      'msgtype': MsgType.Text, 'body': 'Bob.', 'm.relates_to': { 'm.in_reply_to': { event_id: question } },
    })
    expect((await seenBy(alice, answer)).replyEventId).toBe(question)
  })

  test('shows an edited message as edited', async () => {
    const original = await say(alice, 'teh den')
    const shown = await seenBy(bob, original)
    await alice.sendMessage(roomId, {
      'msgtype': MsgType.Text,
      'body': '* the den',
      'm.new_content': { msgtype: MsgType.Text, body: 'the den' },
      'm.relates_to': { rel_type: RelationType.Replace, event_id: original },
    })
    await until('the edit', () => shown.replacingEvent())
    expect(shown.getContent()['body']).toBe('the den')
  })

  test('counts a reaction, and forgets it when it is redacted', async () => {
    const liked = await say(alice, 'carrots')
    await seenBy(bob, liked)
    const { event_id: reaction } = await bob.sendEvent(roomId, EventType.Reaction, {
      'm.relates_to': { rel_type: RelationType.Annotation, event_id: liked, key: '🥕' },
    })
    const relations = await until('the reaction', () =>
      roomOf(alice).relations.getChildEventsForEvent(liked, RelationType.Annotation, EventType.Reaction))
    const counted = (): unknown[] =>
      (relations.getSortedAnnotationsByKey() ?? []).map(([key, events]) => [key, events.size])
    await until('the count', () => counted().length === 1)
    expect(counted()).toEqual([['🥕', 1]])
    await bob.redactEvent(roomId, reaction)
    await until('the redaction', () => counted().length === 0 || relations.getRelations().length === 0)
  })

  test('empties a redacted message', async () => {
    const regretted = await say(alice, 'a secret')
    const shown = await seenBy(bob, regretted)
    await alice.redactEvent(roomId, regretted, undefined, { reason: 'said too much' })
    await until('the redaction', () => shown.isRedacted())
    expect(shown.getContent()).toEqual({})
    expect(await bob.fetchRoomEvent(roomId, regretted)).toMatchObject({ content: {} })
  })

  test('shows who types, and that they stopped', async () => {
    const typing = (): boolean | undefined => roomOf(alice).getMember(bob.getSafeUserId())?.typing
    await bob.sendTyping(roomId, true, 20_000)
    await until('typing', () => typing() === true)
    await bob.sendTyping(roomId, false, 0)
    await until('rest', () => typing() === false)
  })

  test('shows how far the other has read, and clears the count', async () => {
    const eventId = await say(alice, 'read me')
    const event = await seenBy(bob, eventId)
    await until('an unread message', () => roomOf(bob).getUnreadNotificationCount() > 0)
    await bob.sendReadReceipt(event)
    await until('the receipt', () => roomOf(alice).getEventReadUpTo(bob.getSafeUserId()) === eventId)
    await until('the count', () => roomOf(bob).getUnreadNotificationCount() === 0)
  })

  test('goes on after the server was restarted', async () => {
    expect(await server.stop()).toBe(0)
    await server.start()
    alice.retryImmediately()
    bob.retryImmediately()
    const eventId = await say(bob, 'still here')
    await seenBy(alice, eventId)
    await seenBy(bob, eventId)
    expect(textsOf(alice).filter((text) => text === 'still here')).toEqual(['still here'])
  }, START_LIMIT_MS)

  test('goes on after the server was killed', async () => {
    const before = await say(alice, 'before the fall')
    await server.kill()
    await server.start()
    alice.retryImmediately()
    bob.retryImmediately()
    await seenBy(bob, before)
    await seenBy(bob, await say(alice, 'after the fall'))
    expect(textsOf(bob).slice(-2)).toEqual(['before the fall', 'after the fall'])
  }, START_LIMIT_MS)

  test('shows a changed name in the profile and in the room', async () => {
    await alice.setDisplayName('Alice Liddell')
    await until('the new name', () => roomOf(bob).getMember(alice.getSafeUserId())?.name === 'Alice Liddell')
    expect(await bob.getProfileInfo(alice.getSafeUserId())).toMatchObject({ displayname: 'Alice Liddell' })
  })

  test('shows the whole conversation to a new sign-in', async () => {
    const stranger = quietClient({ baseUrl: server.url })
    const { user_id: userId, access_token: accessToken, device_id: deviceId } = await stranger.loginRequest({
      type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password: PASSWORD,
    })
    const second = quietClient({ baseUrl: server.url, userId, accessToken, deviceId })
    await second.startClient({ initialSyncLimit: 5 })
    await until('the first sync', () => second.isInitialSyncComplete())
    const timeline = second.getRoom(roomId)?.getLiveTimeline()
    while (timeline?.getPaginationToken(Direction.Backward) !== null) await second.scrollback(roomOf(second), 10)
    expect(textsOf(second)).toEqual(textsOf(bob))
    })

  test('ends a session at logout, and only that one', async () => {
    const token = bob.getAccessToken() ?? ''
    await bob.logout(true)
    const answer = await callServer(server.url, 'GET', '/_matrix/client/v3/account/whoami', { token })
    expect(answer).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } })
    expect(await alice.whoami()).toMatchObject({ user_id: alice.getSafeUserId() })
  })
})
