import { WAITING_LIMIT_MS } from '#actors/device/to-device.ts'
import { sha256Base64 } from '#core/digest.ts'
import type { Homeserver } from '#homeserver'
import { type Requester, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { type RateLimiter, rateLimiter } from '#http/rate-limit.ts'
import { unhurried, unhurriedAll } from '#http/unhurried.ts'
import { sendToDevice } from '#schema/client/to-device.ts'
import { type DeviceId, deviceIdOf, isUserId, type ServerName, serverNameOf, type UserId } from '#schema/identifiers.ts'
import { MatrixError, tooLarge } from '#schema/matrix-error.ts'
import { findDevice, hasDevice, listDeviceIds } from '#store/devices.ts'
import type { Store } from '#store/store.ts'
import { listStaleInboxes } from '#store/to-device.ts'

/** The content of one message, as JSON. */
export const MESSAGE_LIMIT_BYTES = 65_536
/** Devices that one request may send to: bots share the key of a room with everyone in it at once. */
export const DEVICES_PER_REQUEST = 10_000
/** What one request may become, in UTF-16 units of JSON: a message for `*` is stored once for each device. */
export const DELIVERED_LIMIT_BYTES = 32 * 1024 * 1024
const LOOK_FOR_STALE_MS = 60 * 60_000
/** Requests whose transaction ids are kept at hand; the devices themselves remember what they were sent. */
export const RECENT_REQUESTS = 10_000

export const toDevicePage = (server: Homeserver) => {
  const keyRequests = rateLimiter(server.config.rc.keyRequests, server.clock.now)
  const recent = new Map<string, Promise<void>>()
  const dropStale = staleMessages(server)
  return page().put(
    '/_matrix/client/v3/sendToDevice/:eventType/:txnId',
    signedIn(server, sendToDevice, async ({ params: { eventType, txnId }, body, requester, cause }) => {
      const name = nameOf(server, requester, eventType, txnId)
      const sent = recent.get(name)
      if (sent) {
        await sent
        return {}
      }
      dropStale()
      const messages = eventType === 'm.room_key_request' ? permitted(keyRequests, requester, body.messages) : body.messages
      const letters = () => lettersOf(server, requester.userId, eventType, messages)
      const sending = deliver(server, letters, { messageId: sha256Base64(name), sender: requester.userId }, cause)
      remember(recent, name, sending)
      await sending
      return {}
    }),
  )
}

/** Devices that are not used any more fetch nothing, and nobody may write to them: now and then they are looked for. */
function staleMessages(server: Homeserver): () => void {
  let nextLookTs = 0
  return () => {
    const now = server.clock.now()
    if (now < nextLookTs) return
    nextLookTs = now + LOOK_FOR_STALE_MS
    for (const { userId, deviceId } of listStaleInboxes(server.store, now - WAITING_LIMIT_MS))
      server.device(userId, deviceId).tell({ kind: 'dropStaleMessages' }, server.mintCause())
  }
}

/** Names a request to the devices that it is for. A device that has come back under its old id begins anew. */
function nameOf(server: Homeserver, { userId, deviceId }: Requester, eventType: string, txnId: string): string {
  const since = deviceId === null ? null : findDevice(server.store, userId, deviceId)?.createdTs
  return `${userId} ${deviceId} ${since} ${eventType} ${txnId}`
}

type Messages = Readonly<Record<string, Readonly<Record<string, object>>>>

/**
 * Requests for room keys that `rc_key_requests` lets through: each user who is asked counts, the sender's own devices do
 * not. The others are dropped without a word, as the reference server does: a client would only repeat them.
 */
function permitted(keyRequests: RateLimiter, { userId, deviceId }: Requester, messages: Messages): Messages {
  const isLetThrough = (asked: string): boolean => asked === userId || isTaken(keyRequests, `${userId} ${deviceId}`)
  return Object.fromEntries(Object.entries(messages).filter(([asked]) => isLetThrough(asked)))
}

function isTaken(limiter: RateLimiter, key: string): boolean {
  try {
    limiter.take(key)
    return true
  } catch (error) {
    if (error instanceof MatrixError) return false
    throw error
  }
}

type Letter = Readonly<{ userId: UserId; deviceId: DeviceId; json: string }>

/** One for each device of ours that is there. */
async function lettersOf(server: Homeserver, sender: UserId, type: string, messages: Messages): Promise<Letter[]> {
  const { store } = server
  const letters: Letter[] = []
  let bytes = 0
  await unhurried(addressed(store, server.serverName, messages), ([userId, deviceId, content]) => {
    if (!hasDevice(store, userId, deviceId)) return
    const json = print(content, sender, type)
    bytes += json.length
    if (letters.push({ userId, deviceId, json }) > DEVICES_PER_REQUEST || bytes > DELIVERED_LIMIT_BYTES)
      throw tooLarge(`At most ${DEVICES_PER_REQUEST} devices may be sent to at once, and ${DELIVERED_LIMIT_BYTES} bytes`)
  })
  return letters
}

/** A device that is named gets its own message, the others of its user get that for `*`. */
function* addressed(store: Store, serverName: ServerName, messages: Messages): Generator<[UserId, DeviceId, object]> {
  for (const [userId, byDevice] of Object.entries(messages)) {
    if (!isUserId(userId) || serverNameOf(userId) !== serverName) continue
    const { '*': toAll, ...toSome } = byDevice
    if (toAll) for (const deviceId of listDeviceIds(store, userId)) if (!Object.hasOwn(toSome, deviceId)) yield [userId, deviceId, toAll]
    for (const [deviceId, content] of Object.entries(toSome)) yield [userId, deviceIdOf(deviceId), content]
  }
}

function print(content: object, sender: UserId, type: string): string {
  const text = JSON.stringify(content)
  if (Buffer.byteLength(text) > MESSAGE_LIMIT_BYTES)
    throw tooLarge(`A message to a device may have at most ${MESSAGE_LIMIT_BYTES} bytes`)
  return `{"content":${text},"sender":${JSON.stringify(sender)},"type":${JSON.stringify(type)}}`
}

/** Resolves when every message is on disk: only then is the sender told, who sends again otherwise. */
async function deliver(
  server: Homeserver,
  letters: () => Promise<Letter[]>,
  request: Readonly<{ messageId: string; sender: UserId }>,
  cause: string,
): Promise<void> {
  await unhurriedAll(await letters(), ({ userId, deviceId, json }) =>
    server.device(userId, deviceId).ask({ kind: 'queueToDevice', ...request, json }, cause),
  )
}

/** A request that failed may be tried again under its name. */
function remember(recent: Map<string, Promise<void>>, name: string, sending: Promise<void>): void {
  recent.set(name, sending)
  sending.catch(() => recent.delete(name))
  if (recent.size <= RECENT_REQUESTS) return
  for (const oldest of recent.keys()) return void recent.delete(oldest)
}
