import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { EventType, KnownMembership, type MatrixClient, MatrixEvent, Method, MsgType, Preset, SyncState } from 'matrix-js-sdk'
import { DecryptionFailureCode, type GeneratedSecretStorageKey } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { cryptoClient, cryptoOf, eventually, plainClient, shownText, silenceDiaries, verifyByEmoji, verifyUserByEmoji } from '#harness/crypto-client.ts'
import { until } from '#harness/until.ts'
import { binaryCommand, compiledBinary, type ServerProcess, startServer } from '#harness/warren-process.ts'

const START_LIMIT_MS = 60_000
setDefaultTimeout(30_000)
const PASSWORD = 'correct horse battery staple'
/** Encrypted messages that are sent in bursts while the server is killed again and again. */
const MESSAGES = Number(process.env['WARREN_BURST_MESSAGES'] ?? 500)
const KILL_EVERY_MS = 400

let server: ServerProcess
let speakAgain: () => void
const clients: MatrixClient[] = []
let phone: MatrixClient
let tablet: MatrixClient
let bob: MatrixClient
let laptop: MatrixClient
let carol: MatrixClient
let watch: MatrixClient
let roomId = ''
let early = ''
let secretKey: GeneratedSecretStorageKey

/**
 * The tests below are one story: each goes on where the one before ended. Alice has a phone, a tablet and later a watch,
 * bob two devices; carol comes and goes, mallory is never in the room.
 */
beforeAll(async () => {
  speakAgain = silenceDiaries()
  server = await startServer({ command: binaryCommand(compiledBinary()) })
  phone = await signUp('alice')
  tablet = await logIn('alice')
  bob = await signUp('bob')
  laptop = await logIn('bob')
}, START_LIMIT_MS)

afterAll(async () => {
  for (const client of clients) client.stopClient()
  await server.remove()
  speakAgain()
})

async function signUp(username: string): Promise<MatrixClient> {
  const stranger = plainClient({ baseUrl: server.url })
  return start(await stranger.registerRequest({ username, password: PASSWORD, auth: { type: 'm.login.dummy' } }))
}

async function logIn(username: string): Promise<MatrixClient> {
  const stranger = plainClient({ baseUrl: server.url })
  return start(await stranger.loginRequest({ type: 'm.login.password', identifier: { type: 'm.id.user', user: username }, password: PASSWORD }))
}

/** Whoever is asked for the secret storage key knows it, once there is one. */
async function start(session: Parameters<typeof cryptoClient>[1]): Promise<MatrixClient> {
  const client = await cryptoClient(server.url, session, {
    getSecretStorageKey: async ({ keys }) => [Object.keys(keys)[0] ?? '', secretKey.privateKey],
  })
  clients.push(client)
  return client
}

const everyone = (): MatrixClient[] => [phone, tablet, bob, laptop]
const readableBy = async (client: MatrixClient, eventId: string, text: string): Promise<void> =>
  void (await until(`"${text}" on ${client.getDeviceId()}, which shows ${shownText(client, roomId, eventId)}`, () =>
    shownText(client, roomId, eventId) === text))
const say = async (client: MatrixClient, body: string): Promise<string> => (await client.sendTextMessage(roomId, body)).event_id
/** Takes the cross-signing keys out of secret storage. */
async function unlock(client: MatrixClient): Promise<void> {
  await cryptoOf(client).userHasCrossSigningKeys(client.getSafeUserId(), true)
  await cryptoOf(client).bootstrapCrossSigning({})
}

/** What a client makes of a message that someone hands it as it came over the wire: its text, or why it cannot be read. */
async function handedOver(client: MatrixClient, eventId: string): Promise<unknown> {
  const known = phone.getRoom(roomId)?.findEventById(eventId)
  if (!known) throw new Error(`${eventId} is not there`)
  const event = new MatrixEvent({ ...known.event, type: known.getWireType(), content: known.getWireContent() })
  await client.decryptEventIfNeeded(event)
  return event.decryptionFailureReason ?? event.getContent()['body']
}

/** How many devices of a user another one knows to encrypt for. */
const countDevices = async (client: MatrixClient, userId: string): Promise<number> =>
  (await cryptoOf(client).getUserDeviceInfo([userId])).get(userId)?.size ?? 0
const countBackedUp = async (): Promise<number> =>
  Number((await phone.http.authedRequest<{ count: number }>(Method.Get, '/room_keys/version')).count)
const isTrusted = async (client: MatrixClient, device: MatrixClient): Promise<boolean | undefined> =>
  (await cryptoOf(client).getDeviceVerificationStatus(device.getSafeUserId(), device.getDeviceId() ?? ''))?.crossSigningVerified

describe('an encrypted room', () => {
  test('is read on every device of everyone in it, both ways', async () => {
    const content = { algorithm: 'm.megolm.v1.aes-sha2' }
    const { room_id } = await phone.createRoom({
      preset: Preset.PrivateChat,
      invite: [bob.getSafeUserId()],
      initial_state: [{ type: EventType.RoomEncryption, state_key: '', content }],
    })
    roomId = room_id
    await until('the invite', () => bob.getRoom(roomId)?.getMyMembership() === KnownMembership.Invite)
    await bob.joinRoom(roomId)
    for (const client of everyone())
      await until('the join', () => client.getRoom(roomId)?.getMember(bob.getSafeUserId())?.membership === KnownMembership.Join)
    early = await say(phone, 'from alice')
    const answer = await say(laptop, 'from bob')
    for (const client of everyone()) {
      await readableBy(client, early, 'from alice')
      await readableBy(client, answer, 'from bob')
    }
  })

  test('has another key once someone has left', async () => {
    carol = await signUp('carol')
    const memberships = (client: MatrixClient) => client.getRoom(roomId)?.getMember(carol.getSafeUserId())?.membership
    await phone.invite(roomId, carol.getSafeUserId())
    await until('the invite', () => memberships(carol) === KnownMembership.Invite)
    await carol.joinRoom(roomId)
    await until('carol', () => memberships(phone) === KnownMembership.Join)
    await eventually('her device to be known', () => countDevices(phone, carol.getSafeUserId()), (count) => count === 1)
    const before = await say(phone, 'welcome, carol')
    await readableBy(carol, before, 'welcome, carol')
    await carol.leave(roomId)
    await until('carol to go', () => memberships(phone) === KnownMembership.Leave)
    const after = await say(phone, 'is she gone?')
    for (const client of everyone()) await readableBy(client, after, 'is she gone?')
    expect([await handedOver(carol, before), await handedOver(carol, after)]).toEqual(['welcome, carol', 'MEGOLM_UNKNOWN_INBOUND_SESSION_ID'])
    const [one, other] = [before, after].map((eventId) => phone.getRoom(roomId)?.findEventById(eventId)?.getWireContent()['session_id'] as string)
    expect([one, other, one === other]).toEqual([expect.any(String), expect.any(String), false])
  })
})

describe('cross-signing', () => {
  test('is set up without a password, and vouches for the device', async () => {
    secretKey = await cryptoOf(phone).createRecoveryKeyFromPassphrase()
    await cryptoOf(phone).bootstrapCrossSigning({ authUploadDeviceSigningKeys: async (upload) => void (await upload(null)) })
    await eventually('trust in the phone', () => isTrusted(phone, phone), (isSo) => isSo === true)
    expect(await isTrusted(phone, tablet)).toBe(false)
  })

  test('goes into secret storage, and a key backup with it', async () => {
    await cryptoOf(phone).bootstrapSecretStorage({ createSecretStorageKey: async () => secretKey, setupNewKeyBackup: true })
    expect(await cryptoOf(phone).isSecretStorageReady()).toBe(true)
    const info = await eventually('the backup', () => cryptoOf(phone).getKeyBackupInfo(), (known) => known !== null)
    expect(info).toMatchObject({ version: '1', algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2' })
  })

  test('another device is verified by emoji, and is given the secrets', async () => {
    await cryptoOf(tablet).userHasCrossSigningKeys(tablet.getSafeUserId(), true)
    const [shown, alsoShown] = await verifyByEmoji(tablet, phone)
    expect(shown).toHaveLength(7)
    expect(shown).toEqual(alsoShown)
    await eventually('trust in the tablet', () => isTrusted(phone, tablet), (isSo) => isSo === true)
    await eventually('trust in the phone', () => isTrusted(tablet, phone), (isSo) => isSo === true)
    await eventually('the key of the backup', () => cryptoOf(tablet).getSessionBackupPrivateKey(), (key) => key !== null)
    const cached = async () => (await cryptoOf(tablet).getCrossSigningStatus()).privateKeysCachedLocally
    await eventually('the secrets', cached, (keys) => keys.masterKey && keys.selfSigningKey && keys.userSigningKey)
  })
})

test('another user is verified by emoji, and is trusted from then on, on every device', async () => {
  await cryptoOf(bob).bootstrapCrossSigning({ authUploadDeviceSigningKeys: async (upload) => void (await upload(null)) })
  const isVerified = async (client: MatrixClient, of: MatrixClient): Promise<boolean> =>
    (await cryptoOf(client).getUserVerificationStatus(of.getSafeUserId())).isCrossSigningVerified()
  expect([await isVerified(phone, bob), await isVerified(bob, phone)]).toEqual([false, false])
  const [shown, alsoShown] = await verifyUserByEmoji(phone, bob, roomId)
  expect([shown?.length, shown]).toEqual([7, alsoShown])
  for (const [client, of] of [[phone, bob], [bob, phone], [tablet, bob]] as const)
    await eventually('trust in the other user', () => isVerified(client, of), (isSo) => isSo)
})

describe('a device that logs in late', () => {
  test('reads what is said from then on, and not what was said before', async () => {
    await eventually('the upload of the keys', countBackedUp, (count) => count >= 2)
    watch = await logIn('alice')
    await eventually('the new device to be known', () => countDevices(bob, watch.getSafeUserId()), (count) => count === 3)
    const news = await say(bob, 'hello, new device')
    await readableBy(watch, news, 'hello, new device')
    await until('the old message', () => shownText(watch, roomId, early)?.startsWith('unreadable'))
    expect(shownText(watch, roomId, early)).toMatch(new RegExp(`unreadable: (${Object.values(DecryptionFailureCode).join('|')})`))
  })

  test('gets the old keys from the backup with the recovery key', async () => {
    await unlock(watch)
    await eventually('trust in the new device', () => isTrusted(watch, watch), (isSo) => isSo === true)
    await cryptoOf(watch).loadSessionBackupPrivateKeyFromSecretStorage()
    const { imported, total } = await cryptoOf(watch).restoreKeyBackup()
    expect([imported, imported >= 2]).toEqual([total, true])
    await readableBy(watch, early, 'from alice')
  })

  test('that is logged out is encrypted for no more', async () => {
    const brief = await logIn('alice')
    const aliceId = phone.getSafeUserId()
    await eventually('the device to come', () => countDevices(bob, aliceId), (count) => count === 4)
    await readableBy(brief, await say(bob, 'hello, brief device'), 'hello, brief device')
    await brief.logout()
    await eventually('the device to go', () => countDevices(bob, aliceId), (count) => count === 3)
    const after = await say(bob, 'goodbye, brief device')
    await readableBy(phone, after, 'goodbye, brief device')
    expect(await handedOver(brief, after)).toBe('MEGOLM_UNKNOWN_INBOUND_SESSION_ID')
  })
})

test('a dehydrated device receives for a user who is not there, and its keys are picked up', async () => {
  await readableBy(phone, await say(bob, 'before the sleep'), 'before the sleep')
  expect(await cryptoOf(phone).isDehydrationSupported()).toBe(true)
  await cryptoOf(phone).startDehydration({ createNewKey: true })
  const aliceId = phone.getSafeUserId()
  await eventually('the sleeping device', () => countDevices(bob, aliceId), (count) => count === 4)
  await cryptoOf(bob).forceDiscardSession(roomId)
  const asleep = await say(bob, 'sleep well')
  const woken = await logIn('alice')
  await unlock(woken)
  await until('the message', () => shownText(woken, roomId, asleep)?.startsWith('unreadable'))
  await cryptoOf(woken).startDehydration()
  await readableBy(woken, asleep, 'sleep well')
  await woken.logout(true)
})

test(`${MESSAGES} messages in bursts while the server is killed and comes back: everyone reads every one, once, and nobody else does`, async () => {
  const mallory = await signUp('mallory')
  const expected = new Map<string, string>()
  const speak = async (client: MatrixClient, name: string): Promise<void> => {
    for (let count = 0; count < MESSAGES / 2; count++) {
      const body = `${name} ${count}`
      expected.set(await sayUntilSent(client, body, `${name}${count}`), body)
    }
  }
  let isOver = false
  const killings = async (): Promise<number> => {
    let count = 0
    for (; count < 3 || !isOver; count++) {
      await Bun.sleep(KILL_EVERY_MS)
      await server.kill()
      await server.start()
    }
    return count
  }
  const readers = [...everyone(), watch]
  for (const client of [phone, laptop]) await cryptoOf(client).forceDiscardSession(roomId)
  const killing = killings()
  await Promise.all([speak(phone, 'alice'), speak(laptop, 'bob')])
  isOver = true
  expect(await killing).toBeGreaterThanOrEqual(3)
  expect(expected.size).toBe(MESSAGES)
  const [first = ''] = expected.keys()
  for (const client of readers) await fillGap(client, first)
  for (const client of readers) for (const [eventId, body] of expected) await readableBy(client, eventId, body)
  const read = (client: MatrixClient): string[] => (client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? [])
    .map((event): unknown => event.getContent()['body'])
    .filter((body): body is string => typeof body === 'string' && /^(alice|bob) \d+$/.test(body))
  for (const client of readers) expect(read(client).sort()).toEqual([...expected.values()].sort())
  const others = new Set<unknown>()
  for (const client of [carol, mallory]) for (const eventId of expected.keys()) others.add(await handedOver(client, eventId))
  expect([...others]).toEqual(['MEGOLM_UNKNOWN_INBOUND_SESSION_ID'])
}, START_LIMIT_MS + MESSAGES * 100)

/** A client that was away for long is shown the newest events; it asks for those before them. */
async function fillGap(client: MatrixClient, eventId: string): Promise<void> {
  client.retryImmediately()
  const room = client.getRoom(roomId)
  if (!room) throw new Error('the room is not there')
  await until(`${client.getDeviceId()} to be back`, () => client.getSyncState() === SyncState.Syncing)
  for (let pages = 0; pages < MESSAGES / 50 + 20 && !room.findEventById(eventId); pages++) await client.scrollback(room, 100)
}

/** Sends under one transaction id until the server says that it has it, or the event comes back by sync. */
async function sayUntilSent(client: MatrixClient, body: string, txnId: string): Promise<string> {
  const room = client.getRoom(roomId)
  if (!room) throw new Error('the room is not there')
  const attempt = (): Promise<{ event_id: string }> => {
    const unsent = room.getPendingEvents().find((event) => event.getTxnId() === txnId)
    if (unsent) return client.resendEvent(unsent, room)
    return client.sendEvent(roomId, null, EventType.RoomMessage, { msgtype: MsgType.Text, body }, txnId)
  }
  for (;;) {
    try {
      return (await attempt()).event_id
    } catch {
      await Bun.sleep(100)
      const echo = room.getLiveTimeline().getEvents().find((event) => event.getUnsigned().transaction_id === txnId)
      if (echo) return echo.getId() ?? ''
    }
  }
}
