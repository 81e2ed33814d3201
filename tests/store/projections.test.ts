import { describe, expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import type { Kinded } from '#actors/kernel/actor.ts'
import { deviceIdOf, type UserId } from '#schema/identifiers.ts'
import type { AliasFact } from '#schema/journal/alias.ts'
import type { DeviceFact, Tokens } from '#schema/journal/device.ts'
import type { RegistrationFact } from '#schema/journal/registration.ts'
import type { RoomFact } from '#schema/journal/room.ts'
import type { UserFact } from '#schema/journal/user.ts'
import { accountProjections } from '#store/account-projections.ts'
import { migrate } from '#store/database.ts'
import { inlineWriter, sqliteJournal } from '#store/journal.ts'
import { roomProjections } from '#store/room-projections.ts'
import { type Store, storeOn } from '#store/store.ts'
import { type RowToWrite, wireBatch, writeBatch } from '#store/write-batch.ts'
import { alice, chat } from './fixture.ts'

/**
 * The journal is the truth and the tables follow from it: written again into an empty database it gives the same one.
 * For `eventAppended` the row in `events` is the fact itself: the journal keeps its position, actor and cause, and
 * everything else about the event is rebuilt from that row.
 */

const bob: UserId = '@bob:a.example'
const PHONE = deviceIdOf('PHONE')

const tokens = (name: string): Tokens => ({
  accessHash: new Uint8Array(32).fill(name.length).toBase64({ omitPadding: true }),
  accessExpiresTs: 9_000,
  refreshHash: new Uint8Array(32).fill(name.length + 100).toBase64({ omitPadding: true }),
  refreshExpiresTs: null,
})

const delayed = {
  kind: 'delayedEventScheduled',
  userId: alice,
  deviceId: 'PHONE',
  type: 'm.call',
  stateKey: null,
  content: { reason: 'gone' },
  delayMs: 1_000,
  stickyMs: null,
  txnId: null,
  ts: 7,
} as const

function roomFacts(): RoomFact[] {
  const room = chat()
  const { roomId } = room
  const secret = room.message('secret', 't1')
  const redaction = room.redaction(secret.eventId)
  const old = room.message('secret of old')
  const aside = room.message('aside')
  const later = room.redaction(aside.eventId)
  const hi = room.message('hi', 't2')
  const brief = room.message('secret for a while', 't3')
  return [
    room.create,
    room.join,
    room.state('m.room.name', { name: 'Den' }),
    room.state('m.room.name', { name: 'Attic' }),
    room.state('m.room.member', { membership: 'invite' }, bob),
    room.state('m.room.member', { membership: 'leave' }, bob),
    secret,
    redaction,
    { kind: 'eventRedacted', roomId, eventId: secret.eventId, redactedBy: redaction.eventId },
    { kind: 'originalsForgotten', roomId, until: redaction.pdu.origin_server_ts },
    old,
    { kind: 'eventsExpired', roomId, eventIds: [old.eventId] },
    aside,
    later,
    { kind: 'eventRedacted', roomId, eventId: aside.eventId, redactedBy: later.eventId },
    hi,
    brief,
    { kind: 'selfDestructSet', roomId, eventId: hi.eventId, expiresTs: 9 },
    { kind: 'selfDestructSet', roomId, eventId: brief.eventId, expiresTs: 8 },
    { kind: 'messageSelfDestructed', roomId, eventId: brief.eventId },
    { kind: 'receiptPosted', roomId, userId: alice, receiptType: 'm.read', eventId: hi.eventId, threadId: null, ts: 5 },
    { kind: 'roomPublished', roomId, isPublished: true },
    { kind: 'roomForgotten', roomId, userId: bob },
    { ...delayed, roomId, delayId: 'one' },
    { ...delayed, roomId, delayId: 'two', stateKey: '', stickyMs: 60_000 },
    { kind: 'delayedEventRestarted', roomId, delayId: 'one', ts: 8 },
    { kind: 'delayedEventEnded', roomId, delayId: 'two', outcome: 'cancelled' },
  ]
}

const userFacts: readonly UserFact[] = [
  { kind: 'userRegistered', userId: alice, passwordHash: 'hash', isAdmin: false, isGuest: true, ts: 1 },
  { kind: 'userRegistered', userId: bob, passwordHash: null, isAdmin: true, isGuest: false, ts: 2 },
  { kind: 'guestUpgraded', userId: alice, passwordHash: 'hash two' },
  { kind: 'passwordChanged', userId: alice, passwordHash: 'hash three' },
  { kind: 'adminChanged', userId: alice, isAdmin: true },
  { kind: 'lockChanged', userId: bob, isLocked: true },
  { kind: 'suspensionChanged', userId: bob, isSuspended: true },
  { kind: 'profileFieldSet', userId: alice, field: 'displayname', value: 'Alice' },
  { kind: 'profileFieldSet', userId: alice, field: 'm.tz', value: 'Europe/Berlin' },
  { kind: 'profileFieldDeleted', userId: alice, field: 'm.tz' },
  { kind: 'accountDataSet', userId: alice, roomId: null, type: 'm.direct', content: { [bob]: ['!den'] } },
  { kind: 'accountDataSet', userId: alice, roomId: '!den', type: 'm.tag', content: { tags: {} } },
  { kind: 'accountDataDeleted', userId: alice, roomId: '!den', type: 'm.tag' },
  { kind: 'filterDefined', userId: alice, filterId: '0', filter: { room: { timeline: { limit: 1 } } } },
  { kind: 'filterDefined', userId: alice, filterId: '1', filter: {} },
  { kind: 'filterDropped', userId: alice, filterId: '0' },
  { kind: 'termsAccepted', userId: alice, version: '1.0', ts: 3 },
  { kind: 'monthlyUseNoticed', userId: alice, ts: 4 },
  { kind: 'userDeactivated', userId: bob, isErased: true },
  { kind: 'userReactivated', userId: bob, passwordHash: 'new' },
]

const login = { userId: alice, displayName: 'Phone', endsTs: null, ts: 3, ipAddress: '127.0.0.1', userAgent: 'test' }
const deviceFacts: readonly DeviceFact[] = [
  { kind: 'sessionStarted', ...login, deviceId: PHONE, tokens: tokens('a') },
  { kind: 'sessionRefreshed', userId: alice, deviceId: PHONE, tokens: tokens('ab'), previous: tokens('a') },
  { kind: 'sessionConfirmed', userId: alice, deviceId: PHONE, tokens: tokens('ab') },
  { kind: 'deviceRenamed', userId: alice, deviceId: PHONE, displayName: 'Old phone' },
  { kind: 'deviceSeen', userId: alice, deviceId: PHONE, ts: 9, ipAddress: '::1', userAgent: 'other' },
  { kind: 'deviceOriginForgotten', userId: alice, deviceId: PHONE },
  { kind: 'deviceCreated', userId: alice, deviceId: deviceIdOf('BOT'), displayName: null, ts: 4 },
  { kind: 'deviceDeleted', userId: alice, deviceId: deviceIdOf('BOT') },
]

const aliasFacts: readonly AliasFact[] = [
  { kind: 'roomAliasSet', alias: '#den:a.example', roomId: '!den', creator: alice },
  { kind: 'roomAliasSet', alias: '#attic:a.example', roomId: '!attic', creator: alice },
  { kind: 'roomAliasDeleted', alias: '#attic:a.example' },
]

const registrationFacts: readonly RegistrationFact[] = [
  { kind: 'registrationTokenSet', token: 'open', usesAllowed: 2, expiresTs: null },
  { kind: 'registrationTokenSet', token: 'sesame', usesAllowed: null, expiresTs: 7 },
  { kind: 'registrationTokenSpent', token: 'open' },
  { kind: 'registrationTokenDeleted', token: 'sesame' },
]

function actorOf(fact: Kinded): string {
  const { roomId, userId, deviceId, alias } = fact as Kinded & Record<string, string | undefined>
  if (fact.kind in roomProjections) return `room/${roomId}`
  if (alias !== undefined) return `alias/${alias}`
  if (deviceId !== undefined) return `device/${userId}/${deviceId}`
  return userId === undefined ? 'registration/' : `user/${userId}`
}

const facts: readonly Kinded[] = [...userFacts, ...roomFacts(), ...deviceFacts, ...aliasFacts, ...registrationFacts]
const history = facts.map((fact, index): RowToWrite => ({
  position: index + 1, actor: actorOf(fact), cause: `cause-${index}`, fact,
}))

function emptyStore(): Store {
  const db = new Database(':memory:', { strict: true })
  migrate(db)
  return storeOn(db)
}

function lived(): Store {
  const store = emptyStore()
  writeBatch(store, wireBatch(history, []))
  return store
}

/** What the journal says now, in order, read back as an actor's replay reads it. */
function replayOf(store: Store): RowToWrite[] {
  const journal = sqliteJournal(store, inlineWriter(store))
  const rows = store.db
    .query<Omit<RowToWrite, 'fact'>, []>('SELECT position, n.name AS actor, cause FROM journal JOIN names n ON n.num = actor')
    .all()
  const actors = new Set(rows.map(({ actor }) => actor))
  const facts = new Map([...actors].flatMap((actor) => [...journal.factsOf(actor, 0)].map(({ position, fact }) => [position, fact])))
  return rows
    .sort((a, b) => a.position - b.position)
    .map(({ position, actor, cause }) => {
      const fact = facts.get(position)
      if (!fact) throw new Error(`${actor} does not find its fact at ${position}`)
      return { position, actor, cause, fact }
    })
}

const tablesOf = ({ db }: Store): string[] =>
  db
    .query<{ name: string }, []>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .all()
    .map(({ name }) => name)
const rowsOf = ({ db }: Store, table: string): unknown[] => db.query(`SELECT * FROM "${table}"`).all()

describe('the journal written again into an empty database', () => {
  const original = lived()
  const rebuilt = emptyStore()
  writeBatch(rebuilt, wireBatch(replayOf(original), []))

  test.each(tablesOf(original))('gives the same table %s', (table) => {
    expect(rowsOf(rebuilt, table)).toEqual(rowsOf(original, table))
  })
})

test('the history holds every kind of fact of rooms and accounts, so that each is rebuilt', () => {
  const kinds = new Set(facts.map(({ kind }) => kind))
  expect(Object.keys({ ...roomProjections, ...accountProjections }).filter((kind) => !kinds.has(kind))).toEqual([])
})

test('a replay gives every fact back as it was decided, but for what was redacted or has expired and nobody keeps', () => {
  const replayed = replayOf(lived())
  const gone = (index: number): boolean => facts[index]?.kind === 'eventAppended' && JSON.stringify(facts[index]).includes('secret')
  const others = (rows: readonly RowToWrite[]) => rows.filter((_, index) => !gone(index))
  expect(others(replayed)).toEqual(others(history))
  expect(replayed.filter((_, index) => gone(index))).toHaveLength(3)
  expect(JSON.stringify(replayed)).not.toContain('secret')
})

test('the body of an event lies in its row alone', () => {
  const store = lived()
  const [row] = store.db.query<{ facts: number }, []>(`
    SELECT count(*) AS facts FROM journal j JOIN events e ON e.num = j.position WHERE j.fact IS NOT NULL`).all()
  expect(row).toEqual({ facts: 0 })
})
