import type { ICreateClientOpts, MatrixClient, MatrixEvent } from 'matrix-js-sdk'
import { createClient, Filter, PendingEventOrdering } from 'matrix-js-sdk'
import { type CryptoCallbacks, CryptoEvent, VerificationPhase, type VerificationRequest } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { Logger } from 'matrix-js-sdk/lib/logger.js'
import { until } from './until.ts'

/** matrix-js-sdk with the crypto of the Rust SDK, as Element has it, for tests that encrypt. */

/** More than any test says while a client is away, so that nothing falls into a gap. */
const TIMELINE_LIMIT = 500

const quiet: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, getChild: () => quiet }

/** The library and its Rust part keep a diary on the console; gives back what ends the silence. */
export function silenceDiaries(): () => void {
  const { debug, info, warn, error, log } = console
  const silent = { debug() {}, info() {}, warn() {}, error() {}, log() {} }
  Object.assign(console, silent)
  return () => void Object.assign(console, { debug, info, warn, error, log })
}

export type NewSession = Readonly<{ user_id?: string; access_token?: string; device_id?: string }>

/** A client on one device, with its keys published and its first sync done. The keys live in memory only. */
export async function cryptoClient(baseUrl: string, session: NewSession, cryptoCallbacks: CryptoCallbacks = {}): Promise<MatrixClient> {
  const { user_id: userId, access_token: accessToken, device_id: deviceId } = session
  if (userId === undefined || accessToken === undefined || deviceId === undefined) throw new Error('Nobody is signed in')
  const client = plainClient({ baseUrl, userId, accessToken, deviceId, cryptoCallbacks })
  await client.initRustCrypto({ useIndexedDB: false })
  const filter = new Filter(userId)
  filter.setTimelineLimit(TIMELINE_LIMIT)
  await client.startClient({ initialSyncLimit: TIMELINE_LIMIT, filter, pendingEventOrdering: PendingEventOrdering.Detached })
  await until(`the first sync of ${userId} on ${deviceId}`, () => client.isInitialSyncComplete())
  return client
}

export const plainClient = (options: ICreateClientOpts): MatrixClient => createClient({ ...options, logger: quiet })

/** The part of the client that encrypts. */
export function cryptoOf(client: MatrixClient) {
  const crypto = client.getCrypto()
  if (!crypto) throw new Error('This client does not encrypt')
  return crypto
}

/** What a device shows of an event: its text, or why it cannot be read; undefined while it is not there or not tried yet. */
export function shownText(client: MatrixClient, roomId: string, eventId: string): string | undefined {
  const event: MatrixEvent | undefined = client.getRoom(roomId)?.findEventById(eventId)
  if (!event || event.isBeingDecrypted()) return undefined
  if (event.isDecryptionFailure()) return `unreadable: ${event.decryptionFailureReason}`
  const { body } = event.getContent()
  return typeof body === 'string' ? body : undefined
}

/** Two devices of one user compare emojis until both trust each other; gives back what each has shown. */
export const verifyByEmoji = (asking: MatrixClient, asked: MatrixClient): Promise<[string[], string[]]> =>
  compareEmojis(() => cryptoOf(asking).requestOwnUserVerification(), asked)

/** The same for two users, in a room with both. */
export const verifyUserByEmoji = (asking: MatrixClient, asked: MatrixClient, roomId: string): Promise<[string[], string[]]> =>
  compareEmojis(() => cryptoOf(asking).requestVerificationDM(asked.getSafeUserId(), roomId), asked)

async function compareEmojis(ask: () => Promise<VerificationRequest>, asked: MatrixClient): Promise<[string[], string[]]> {
  const incoming = new Promise<VerificationRequest>((resolve) => {
    asked.once(CryptoEvent.VerificationRequestReceived, resolve)
  })
  const request = await ask()
  const answer = await incoming
  await answer.accept()
  await until('both to be ready', () => request.phase === VerificationPhase.Ready && answer.phase === VerificationPhase.Ready)
  const first = await request.startVerification('m.sas.v1')
  void first.verify()
  const second = await until('the other verifier', () => answer.verifier)
  void second.verify()
  const emojis: [string[], string[]] = [await confirmedEmojis(first), await confirmedEmojis(second)]
  // What `verify` promises is now and then not kept when both sides are done at the same moment; the phase is.
  await until('both to be done', () => request.phase === VerificationPhase.Done && answer.phase === VerificationPhase.Done)
  return emojis
}

async function confirmedEmojis(verifier: NonNullable<VerificationRequest['verifier']>): Promise<string[]> {
  const { sas, confirm } = await until('emojis', () => verifier.getShowSasCallbacks())
  void confirm()
  return (sas.emoji ?? []).map(([emoji]) => emoji)
}

/** Asks until the answer is the one that is awaited; throws after ten seconds with the last one. */
export async function eventually<T>(what: string, ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const answer = await ask()
    if (isRight(answer)) return answer
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}; it is ${JSON.stringify(answer)}`)
    await Bun.sleep(50)
  }
}
