import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { deviceAt, userAt } from '#actors/addresses.ts'
import type { Kinded } from '#actors/kernel/actor.ts'
import { hashPassword } from '#errands/hash-password.ts'
import { crossSigned, crossSigningKeysOf, crossSigningNames, deviceKeysOf, oneTimeKeysOf } from '#harness/encryption-keys.ts'
import { type Caller, type House, house } from '#harness/house.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { countBrokenInvariants } from '#store/broken-invariants.ts'
import { migrate } from '#store/database.ts'
import { projectOneTimeKeyClaimed } from '#store/device-keys.ts'
import { findDeviceInbox } from '#store/device-inboxes.ts'
import { e2eeProjections } from '#store/e2ee-projections.ts'
import { inlineWriter, sqliteJournal } from '#store/journal.ts'
import { type Store, storeOn } from '#store/store.ts'
import { readToDevice } from '#store/sync/encryption.ts'
import { listToDevice, projectToDeviceCrowdedOut } from '#store/to-device.ts'
import { type RowToWrite, wireBatch, writeBatch } from '#store/write-batch.ts'

/**
 * The journal is the truth also where it does not hold a fact's body: messages and backed-up keys lie in their tables
 * alone, and once they are gone from there nobody needs them to rebuild the rest.
 */

let here: House
let store: Store
const inMemory = (): Store => {
  const db = new Database(':memory:', { strict: true })
  migrate(db)
  return storeOn(db)
}

const keys = (who: Caller, more: object = {}) =>
  ({ device_keys: deviceKeysOf(who.userId, who.deviceId), one_time_keys: oneTimeKeysOf(who.userId, who.deviceId, 1, 4), ...more })
const claim = (of: Caller) =>
  here.bob.answer('POST', '/v3/keys/claim', { one_time_keys: { [of.userId]: { [of.deviceId]: 'signed_curve25519' } } })

/** A life in which every fact of encryption occurs. */
beforeAll(async () => {
  here = await house()
  store = here.server.store
  const { alice, bob, server } = here
  const tv = await here.login(alice.userId, 'TV')
  const doomed = await here.register('doomed')
  await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: await hashPassword('sesame', null) }, 'test')
  const fallback = oneTimeKeysOf(alice.userId, alice.deviceId, 9, 9, { fallback: true })
  await alice.answer('POST', '/v3/keys/upload', keys(alice, { fallback_keys: fallback }))
  await tv.answer('POST', '/v3/keys/upload', keys(tv))
  for (let count = 0; count < 5; count++) await claim(alice)
  await server.device(tv.userId, deviceIdOf('TV')).ask({ kind: 'noticeRestore' }, 'test')

  await alice.answer('POST', '/v3/keys/device_signing/upload', crossSigningKeysOf(alice.userId))
  const signed = crossSigned(deviceKeysOf(alice.userId, 'TV'), alice.userId, crossSigningNames(alice.userId).selfSigning)
  await alice.answer('POST', '/v3/keys/signatures/upload', { [alice.userId]: { TV: signed } })

  const send = (to: Caller, n: number) =>
    bob.answer('PUT', `/v3/sendToDevice/my.type/${to.deviceId}${n}`, { messages: { [to.userId]: { [to.deviceId]: { n } } } })
  for (const n of [1, 2]) await send(alice, n)
  const { next_batch } = (await alice.answer('GET', '/v3/sync')).body
  await alice.answer('GET', `/v3/sync?since=${next_batch as string}`)
  await send(alice, 3)
  for (const n of [4, 5]) await send(tv, n)

  const session = (first_message_index: number) => ({ first_message_index, forwarded_count: 0, is_verified: false, session_data: { n: first_message_index } })
  const backup = { algorithm: 'm.a', auth_data: { a: 1 } }
  await alice.answer('POST', '/v3/room_keys/version', backup)
  await alice.answer('POST', '/v3/room_keys/version', backup)
  await alice.answer('PUT', '/v3/room_keys/version/2', { ...backup, auth_data: { a: 2 } })
  await alice.answer('PUT', '/v3/room_keys/keys/!a?version=2', { sessions: { s1: session(3), s2: session(3), s3: session(3) } })
  await alice.answer('PUT', '/v3/room_keys/keys/!a?version=2', { sessions: { s1: session(1) } })
  await alice.answer('DELETE', '/v3/room_keys/keys/!a/s2?version=2')
  await alice.answer('DELETE', '/v3/room_keys/version/1')

  const dehydrated = (id: string) => ({ device_id: id, device_data: { algorithm: 'x' }, device_keys: deviceKeysOf(alice.userId, id) })
  const path = '/unstable/org.matrix.msc3814.v1/dehydrated_device'
  await alice.answer('PUT', path, dehydrated('SLEEPER'))
  await alice.answer('DELETE', path)
  await alice.answer('PUT', path, dehydrated('OTHER'))

  await doomed.answer('POST', '/v3/keys/upload', keys(doomed))
  await doomed.answer('POST', '/v3/keys/device_signing/upload', crossSigningKeysOf(doomed.userId))
  await server.user(doomed.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
  await doomed.answer('POST', '/v3/logout', {})
  await tv.answer('PUT', '/v3/devices/TV', { display_name: 'Telly' })
  await server.settled()
})
afterAll(() => here.close())

function replayed(): RowToWrite[] {
  const journal = sqliteJournal(store, inlineWriter(store))
  const rows = store.db
    .query<{ position: number; actor: string; cause: string }, []>(
      'SELECT position, n.name AS actor, cause FROM journal JOIN names n ON n.num = actor ORDER BY position')
    .all()
  const facts = new Map<number, Kinded>()
  for (const actor of new Set(rows.map((row) => row.actor)))
    for (const { position, fact } of journal.factsOf(actor, 0)) facts.set(position, fact)
  return rows.flatMap((row) => {
    const fact = facts.get(row.position)
    return fact ? [{ ...row, fact }] : []
  })
}

/** Rows as text: the numbers of names may differ between two databases, the names may not. */
const NAMES = ['user', 'device', 'room', 'observer', 'target_user', 'signer']
const rowsOf = ({ db, names }: Store, table: string): string[] =>
  db.query<Record<string, unknown>, []>(`SELECT * FROM ${table}`).all()
    .map((row) => JSON.stringify(Object.entries(row).map(([column, value]) =>
      [column, NAMES.includes(column) && typeof value === 'number' && value > 0 ? names.textOf(value) : value])))
    .sort()

const TABLES = [
  'devices', 'device_keys', 'one_time_keys', 'fallback_keys', 'device_inboxes', 'to_device', 'device_list_changes', 'cross_signing_keys',
  'key_signatures', 'key_backups', 'backed_up_keys', 'dehydrated_devices', 'broken_invariants',
]

test('the life holds every kind of fact of encryption but those that only age and floods bring', () => {
  const kinds = new Set(replayed().map(({ fact }) => fact.kind))
  expect(Object.keys(e2eeProjections).filter((kind) => !kinds.has(kind))).toEqual(['toDeviceDropped', 'toDeviceCrowdedOut'])
})

describe('the journal written again into an empty database', () => {
  test.each(TABLES)('gives the same table %s', (table) => {
    const rebuilt = inMemory()
    writeBatch(rebuilt, wireBatch(replayed(), []))
    expect(rowsOf(rebuilt, table)).toEqual(rowsOf(store, table))
  })
})

test('bodies of messages and of backed-up keys lie in their tables alone', () => {
  const kinds = store.db
    .query<{ name: string }, []>('SELECT DISTINCT n.name FROM journal JOIN names n ON n.num = kind WHERE fact IS NULL OR length(fact) = 0')
    .all()
    .map(({ name }) => name)
  expect(kinds.filter((kind) => kind !== 'eventAppended').sort()).toEqual(['roomKeysStored', 'toDeviceQueued'])
})

test('actors that are rebuilt from the journal remember what they remembered', async () => {
  const { alice, server } = here
  const actors = [userAt(alice.userId), deviceAt(alice.userId, deviceIdOf('PHONE')), deviceAt(alice.userId, deviceIdOf('TV'))]
  const wake = async (): Promise<void> => {
    await server.user(alice.userId).ask({ kind: 'setAdmin', isAdmin: false }, 'test')
    for (const id of ['PHONE', 'TV']) await server.device(alice.userId, deviceIdOf(id)).ask({ kind: 'toDeviceSeen', upTo: 0 }, 'test')
  }
  await wake()
  const before = actors.map((address) => server.system.frozenMemoryOf(address as never))
  for (const address of actors) server.system.kill(address as never)
  await wake()
  expect(actors.map((address) => server.system.frozenMemoryOf(address as never))).toEqual(before)
})

test('a one-time key that would be handed out twice is counted', () => {
  const copy = inMemory()
  writeBatch(copy, wireBatch(replayed(), []))
  expect([...countBrokenInvariants(copy).values()]).toEqual([0, 0])
  const fact = { kind: 'oneTimeKeyClaimed', userId: here.alice.userId, deviceId: deviceIdOf('PHONE'), algorithm: 'signed_curve25519', keyId: 'AAA1' } as const
  for (const position of [9_001, 9_002]) projectOneTimeKeyClaimed(copy, fact, position, '')
  expect(countBrokenInvariants(copy).get('one-time key handed out twice')).toBe(2)
})

test('a message that would be delivered after its acknowledgement is held back and counted', () => {
  const copy = inMemory()
  writeBatch(copy, wireBatch(replayed(), []))
  const { userId } = here.alice
  const deviceId = deviceIdOf('PHONE')
  const inbox = findDeviceInbox(copy, userId, deviceId)
  const read = (seen: number) =>
    readToDevice(copy, { ...inbox, seen }, { userId, deviceId, after: 0, until: 1_000_000 }).events.map((event) => (JSON.parse(event) as { content: unknown }).content)
  expect([read(inbox.seen), countBrokenInvariants(copy).get('to-device message delivered after its acknowledgement')]).toEqual([[{ n: 3 }], 0])
  expect([read(1_000_000), countBrokenInvariants(copy).get('to-device message delivered after its acknowledgement')]).toEqual([[], 1])
})

test('a message that was crowded out is gone, and the next one is the oldest', () => {
  const copy = inMemory()
  writeBatch(copy, wireBatch(replayed(), []))
  const owner = { userId: here.alice.userId, deviceId: deviceIdOf('TV') }
  const positions = () => listToDevice(copy, { ...owner, after: 0, until: 1_000_000, limit: 10 }).map(({ position }) => position)
  const [first = 0, second = 0] = positions()
  expect([first > 0, second > first]).toEqual([true, true])
  projectToDeviceCrowdedOut(copy, { kind: 'toDeviceCrowdedOut', ...owner, positions: [first], messageIds: ['x'] }, 1_000_000, '')
  expect([positions(), findDeviceInbox(copy, owner.userId, owner.deviceId).oldestMessage]).toEqual([[second], second])
})
