import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Kinded } from '#actors/kernel/actor.ts'
import { pushSubject } from '#core/push-rules/conditions.ts'
import { type CompiledRuleset, compileRuleset, evaluate, type PushOutcome, SILENT } from '#core/push-rules/evaluate.ts'
import { NO_PUSH_RULE_CHOICES, rulesetFor } from '#core/push-rules/ruleset.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { threadOf } from '#core/threads.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import type { PushRule, PushRuleChoices } from '#schema/push-rules.ts'
import { forgetAudiences } from '#store/push-audience.ts'
import type { Store } from '#store/store.ts'
import { countMissed, type UnreadCount, unreadCounts } from '#store/unread.ts'
import { SEGMENTS_LIMIT } from '#store/unread-readers.ts'
import { appended, emptyStore, eventIdAt, registered, type Said, write as writeFacts } from './unread-history.ts'

const [alice, bob, carol]: readonly UserId[] = ['@alice:a.example', '@bob:a.example', '@carol:a.example'] as const
const OURS = [alice, bob, carol] as UserId[]
const charlie: UserId = '@charlie:b.example'
const EVERYONE = [...OURS, charlie]
const ROOMS: readonly RoomId[] = ['!den:a.example', '!attic:a.example']

const own = (rule_id: string, rule: Partial<PushRule>): PushRule => ({ rule_id, default: false, enabled: true, actions: [], ...rule })
const LOUD = ['notify', { set_tweak: 'highlight' }]
const withOwn = (kind: keyof PushRuleChoices['own'], ...rules: PushRule[]): PushRuleChoices =>
  ({ ...NO_PUSH_RULE_CHOICES, own: { ...NO_PUSH_RULE_CHOICES.own, [kind]: rules } })
const about = (room: string) => ({ kind: 'event_match', key: 'room_id', pattern: room })

/** What people do with push rules. */
const CHOICES: readonly PushRuleChoices[] = [
  NO_PUSH_RULE_CHOICES,
  withOwn('override', own('mute', { conditions: [about(ROOMS[0] ?? '')] })),
  withOwn('room', own(ROOMS[0] ?? '', { actions: [] }), own(ROOMS[1] ?? '', { actions: LOUD })),
  withOwn('content', own('cheese', { pattern: 'cheese', actions: LOUD })),
  withOwn('content', own('cheese', { pattern: 'ch*se', actions: [] })),
  withOwn('sender', own(alice ?? '', { actions: [] })),
  withOwn('override', own('name', { conditions: [{ kind: 'contains_display_name' }], actions: LOUD })),
  withOwn('override', own('state', { conditions: [{ kind: 'event_match', key: 'state_key', pattern: '*' }], actions: ['notify'] })),
  withOwn('override', own('rooms', { conditions: [about('!*TTIC*')], actions: ['notify'] })),
  withOwn('underride', own('all', { conditions: [], actions: ['notify'] })),
  { ...NO_PUSH_RULE_CHOICES, changes: { '.m.rule.message': { actions: [] } } },
  { ...NO_PUSH_RULE_CHOICES, changes: { '.m.rule.master': { enabled: true } } },
  { ...NO_PUSH_RULE_CHOICES, changes: { '.m.rule.room_one_to_one': { actions: LOUD }, '.m.rule.suppress_edits': { enabled: false } } },
]

const someone = fc.nat(EVERYONE.length - 1)
const room = fc.nat(ROOMS.length - 1)
const event = fc.nat(30)
const ops = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('say'), room, who: someone, to: event, how: fc.nat(11), body: fc.nat(3), mentions: fc.subarray([...EVERYONE, 'room'], { maxLength: 2 }) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('receipt'), room, who: someone, to: event, thread: fc.constantFrom('all', 'main', 'own'), isPrivate: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('redact'), room, to: event }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('move'), room, who: someone }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('moved'), room, who: fc.nat(2), membership: fc.constantFrom('leave', 'ban', 'invite', 'knock') }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('rules'), who: fc.nat(2), choices: fc.nat(CHOICES.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('ignore'), who: fc.nat(2), ignored: fc.subarray(EVERYONE) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('state'), room, who: someone, how: fc.nat(3), level: fc.constantFrom(0, 50) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('forget'), isRollback: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('look') }) },
)
type Op = typeof ops extends fc.Arbitrary<infer T> ? T : never

type Seen = { position: number; place: string | undefined; roomId: RoomId; sender: UserId; content: JsonObject; thread: string; outcomes: Map<UserId, PushOutcome>; isRedacted: boolean }
type RoomModel = { joined: Map<UserId, number>; names: Map<UserId, string>; levels: JsonObject; events: Seen[] }
type Mark = { userId: UserId; roomId: RoomId; thread: string | null; position: number }

/** The same history twice: as facts in the store, and as a list from which every count is made anew by its definition. */
type History = {
  readonly store: Store
  readonly facts: Kinded[]
  readonly rooms: Map<RoomId, RoomModel>
  readonly choices: Map<UserId, PushRuleChoices>
  readonly rulesets: Map<UserId, CompiledRuleset>
  readonly ignored: Map<UserId, readonly UserId[]>
  marks: Mark[]
}

function newHistory(): History {
  const history: History = {
    store: emptyStore(), facts: [], rooms: new Map(), choices: new Map(), rulesets: new Map(), ignored: new Map(), marks: [],
  }
  for (const userId of OURS) write(history, registered(userId))
  for (const roomId of ROOMS) {
    history.rooms.set(roomId, { joined: new Map(), names: new Map(), levels: {}, events: [] })
    say(history, { roomId, sender: charlie, type: 'm.room.create', content: { room_version: '2', creator: charlie }, stateKey: '' })
    for (const userId of EVERYONE) member(history, roomId, userId, 'join')
  }
  return history
}

function write(history: History, ...facts: Kinded[]): number {
  writeFacts(history.store, facts, history.facts.length + 1)
  return history.facts.push(...facts)
}

function modelOf(history: History, roomId: RoomId): RoomModel {
  const model = history.rooms.get(roomId)
  if (!model) throw new Error('no such room')
  return model
}

function member(history: History, roomId: RoomId, userId: UserId, membership: string, { displayname = userId.slice(1, 4), sender = userId } = {}): void {
  const content = membership === 'join' ? { membership, displayname } : { membership }
  const { joined, names } = modelOf(history, roomId)
  const wasJoined = joined.has(userId)
  const position = say(history, { roomId, sender, type: 'm.room.member', content, stateKey: userId })
  names.set(userId, displayname)
  if (membership !== 'join') {
    joined.delete(userId)
    history.marks = history.marks.filter((mark) => mark.userId !== userId || mark.roomId !== roomId)
  } else if (!wasJoined) joined.set(userId, position)
}

function say(history: History, said: Said): number {
  const model = modelOf(history, said.roomId)
  const position = history.facts.length + 1
  const contentOf = (eventId: EventId): JsonObject | undefined =>
    model.events.find((other) => eventIdAt(other.position) === eventId)?.content
  const thread = threadOf(said.content, contentOf)
  const outcomes = new Map([...model.joined.keys()].map((userId) => [userId, outcome(history, said, userId, thread !== 'main')]))
  write(history, appended(said, position))
  const place = said.stateKey === undefined ? undefined : `${said.type} ${said.stateKey}`
  model.events.push({ position, place, roomId: said.roomId, sender: said.sender, content: said.content, thread, outcomes, isRedacted: false })
  const isMark = said.stateKey === undefined && said.type !== 'm.room.redaction'
  if (isMark) history.marks.push({ userId: said.sender, roomId: said.roomId, thread, position })
  return position
}

function outcome(history: History, { roomId, sender, type, content, stateKey }: Said, userId: UserId, isInThread: boolean): PushOutcome {
  if (!OURS.includes(userId) || sender === userId || history.ignored.get(userId)?.includes(sender)) return SILENT
  const { joined, names, levels } = modelOf(history, roomId)
  const ruleset = history.rulesets.getOrInsertComputed(userId, () => compileRuleset(rulesetFor(history.choices.get(userId) ?? NO_PUSH_RULE_CHOICES, userId), userId))
  const users = (levels.users ?? {}) as Record<string, number>
  const hasLevels = Object.keys(levels).length > 0
  const context = {
    roomId,
    isInThread,
    memberCount: joined.size,
    senderPowerLevel: hasLevels ? (users[sender] ?? 0) : (sender === charlie ? 100 : 0),
    notificationLevels: (levels.notifications ?? {}) as Record<string, number>,
  }
  const event = { type, sender, content, ...(stateKey === undefined ? {} : { state_key: stateKey }) }
  return evaluate(ruleset, pushSubject(event, context), { displayName: names.get(userId) ?? '' })
}

function run(history: History, op: Op): void {
  if ('room' in op && 'who' in op) {
    const [roomId, userId] = [ROOMS[op.room] ?? '!', EVERYONE[op.who] ?? charlie]
    const model = modelOf(history, roomId)
    const target = 'to' in op ? model.events.at(-1 - (op.to % model.events.length)) : undefined
    const isJoined = model.joined.has(userId)
    if (op.op === 'move') member(history, roomId, userId, isJoined ? 'leave' : 'join')
    else if (op.op === 'moved' && 'membership' in op) moved(history, roomId, userId, op.membership)
    else if (!isJoined) return
    else if (op.op === 'say' && 'how' in op && 'body' in op && target) speak(history, roomId, userId, target, op)
    else if (op.op === 'receipt' && 'thread' in op && target) receipt(history, roomId, userId, target, op)
    else if (op.op === 'state' && 'level' in op) state(history, roomId, userId, op)
  } else if ('to' in op && 'room' in op) redact(history, ROOMS[op.room] ?? '!', op.to)
  else if ('choices' in op) choose(history, OURS[op.who] ?? charlie, CHOICES[op.choices] ?? NO_PUSH_RULE_CHOICES)
  else if ('ignored' in op) ignore(history, OURS[op.who] ?? charlie, op.ignored)
  else if ('isRollback' in op) forget(history, op.isRollback)
  else look(history)
}

function speak(history: History, roomId: RoomId, sender: UserId, target: Seen, { how, body, mentions }: { how: number; body: number; mentions: string[] }): void {
  const eventId = eventIdAt(target.position)
  const rel_type = how % 4 === 0 ? 'm.thread' : how === 1 ? 'm.replace' : how === 2 ? 'm.annotation' : how === 3 ? 'm.reference' : undefined
  const users = mentions.filter((name) => name !== 'room')
  const content: JsonObject = {
    msgtype: how === 5 ? 'm.notice' : 'm.text',
    body: ['hello', 'some cheese please', 'ali bob car', 'CHOSE'][body] ?? '',
    ...(rel_type ? { 'm.relates_to': { rel_type, event_id: eventId } } : {}),
    ...(mentions.length > 0 ? { 'm.mentions': { user_ids: users, ...(mentions.includes('room') ? { room: true } : {}) } } : {}),
  }
  const type = how === 2 ? 'm.reaction' : how === 6 ? 'm.room.encrypted' : how === 7 ? 'm.room.redaction' : 'm.room.message'
  say(history, { roomId, sender, type, content })
}

/** Others put somebody out or ask them in; who is in is not asked. */
function moved(history: History, roomId: RoomId, userId: UserId, membership: string): void {
  const isJoined = modelOf(history, roomId).joined.has(userId)
  if (isJoined && (membership === 'invite' || membership === 'knock')) return
  member(history, roomId, userId, membership, { sender: membership === 'knock' ? userId : charlie })
}

function receipt(history: History, roomId: RoomId, userId: UserId, target: Seen, { thread, isPrivate }: { thread: string; isPrivate: boolean }): void {
  const threadId = thread === 'all' ? null : thread === 'own' ? target.thread : 'main'
  const receiptType = isPrivate ? 'm.read.private' : 'm.read'
  write(history, { kind: 'receiptPosted', roomId, userId, receiptType, eventId: eventIdAt(target.position), threadId, ts: 1 } as Kinded)
  history.marks.push({ userId, roomId, thread: threadId, position: target.position })
}

function redact(history: History, roomId: RoomId, to: number): void {
  const model = modelOf(history, roomId)
  const target = model.events.at(-1 - (to % model.events.length))
  if (!target || target.sender === charlie && target.position < 15) return
  const redactedBy = eventIdAt(target.position)
  write(history, { kind: 'eventRedacted', roomId, eventId: eventIdAt(target.position), redactedBy } as Kinded)
  target.isRedacted = true
  const isCurrent = model.events.findLast(({ place }) => place === target.place) === target
  if (isCurrent && target.place === 'm.room.power_levels ') model.levels = { users: model.levels.users ?? {} }
  if (isCurrent && target.place?.startsWith('m.room.member ')) model.names.set(target.sender, '')
  target.content = {}
}

function state(history: History, roomId: RoomId, sender: UserId, { how, level }: { how: number; level: number }): void {
  const model = modelOf(history, roomId)
  if (how === 0) say(history, { roomId, sender, type: 'm.room.tombstone', content: { body: 'gone' }, stateKey: '' })
  else if (how === 1) say(history, { roomId, sender, type: 'm.room.topic', content: { topic: 'cheese' }, stateKey: '' })
  else if (how === 2) member(history, roomId, sender, 'join', { displayname: level === 0 ? 'cheese' : 'hello' })
  else {
    const levels = { users: { [sender]: level }, notifications: { room: level === 0 ? 50 : 20 } }
    say(history, { roomId, sender, type: 'm.room.power_levels', content: levels, stateKey: '' })
    model.levels = levels
  }
}

function choose(history: History, userId: UserId, choices: PushRuleChoices): void {
  write(history, { kind: 'pushRulesChanged', userId, choices } as Kinded)
  history.choices.set(userId, choices)
  history.rulesets.delete(userId)
}

function ignore(history: History, userId: UserId, ignored: readonly UserId[]): void {
  const content = { ignored_users: Object.fromEntries(ignored.map((other) => [other, {}])) }
  write(history, { kind: 'accountDataSet', userId, roomId: null, type: 'm.ignored_user_list', content } as Kinded)
  history.ignored.set(userId, ignored)
}

function forget(history: History, isRollback: boolean): void {
  if (!isRollback) return forgetAudiences(history.store.audiences)
  const said = appended({ roomId: ROOMS[0] ?? '!', sender: charlie, type: 'm.room.message', content: { body: 'never said' } }, history.facts.length + 1)
  expect(() => writeFacts(history.store, [said, { kind: 'unheardOf' }], history.facts.length + 1)).toThrow()
}

/** By the definition, from the list of all events. */
function recount(history: History, userId: UserId, roomId: RoomId): Record<string, UnreadCount> {
  const { joined, events } = modelOf(history, roomId)
  const since = joined.get(userId)
  if (since === undefined) return {}
  const counts: Record<string, { notify: number; highlight: number }> = {}
  for (const { position, thread, outcomes, isRedacted } of events) {
    const outcome = outcomes.get(userId)
    const isRead = history.marks.some((mark) =>
      mark.userId === userId && mark.roomId === roomId && mark.position >= position && (mark.thread === null || mark.thread === thread))
    if (position <= since || isRead || isRedacted || !outcome?.notify) continue
    const count = (counts[thread] ??= { notify: 0, highlight: 0 })
    count.notify += 1
    if (outcome.highlight) count.highlight += 1
  }
  return counts
}

function look(history: History): void {
  for (const userId of OURS) {
    let missed = 0
    for (const roomId of ROOMS) {
      const expected = recount(history, userId, roomId)
      const { threads, ...main } = unreadCounts(history.store, userId, roomId, { perThread: true })
      const counted = { ...Object.fromEntries(threads), ...(main.notify > 0 ? { main } : {}) }
      expect({ userId, roomId, ...counted }).toEqual({ userId, roomId, ...expected })
      const total = Object.values(expected).reduce((sum, count) => ({ notify: sum.notify + count.notify, highlight: sum.highlight + count.highlight }), { notify: 0, highlight: 0 })
      expect(unreadCounts(history.store, userId, roomId)).toEqual({ ...total, threads: new Map() })
      missed += total.notify
    }
    expect(countMissed(history.store, userId, { byRoom: false })).toBe(missed)
  }
}

const UNREAD_TABLES = ['unread_readers', 'unread_marks', 'unread_segments', 'unread_counters', 'unread_steps', 'unread_redacted', 'unread_personal', 'notifications', 'class_highlights']
const tablesOf = ({ db }: Store): unknown => Object.fromEntries(UNREAD_TABLES.map((table) => [table, db.query(`SELECT * FROM ${table}`).all()]))

describe('counts over random histories', () => {
  test('equal a recount from scratch', () => {
    fc.assert(fc.property(fc.array(ops, { minLength: 20, maxLength: 70 }), (script) => {
      const history = newHistory()
      for (const op of script) run(history, op)
      look(history)
      history.store.db.close()
    }), { numRuns: 220 })
  }, 60_000)

  test('lie in tables that do not depend on what the writer had at hand', () => {
    fc.assert(fc.property(fc.array(ops, { minLength: 20, maxLength: 70 }), (script) => {
      const history = newHistory()
      for (const op of script) run(history, op)
      const again = emptyStore()
      writeFacts(again, history.facts, 1)
      expect(tablesOf(again)).toEqual(tablesOf(history.store))
      again.db.close()
      history.store.db.close()
    }), { numRuns: 30 })
  }, 60_000)
})

/** One room of `count` users. */
function crowd(count: number): { store: Store; next: number } {
  const store = emptyStore()
  const users = Array.from({ length: count }, (_, index): UserId => `@user${index}:a.example`)
  const join = (userId: UserId, index: number) =>
    appended({ roomId: den, sender: userId, type: 'm.room.member', content: { membership: 'join' }, stateKey: userId }, count + 2 + index)
  writeFacts(store, users.map(registered), 1)
  const create = appended({ roomId: den, sender: charlie, type: 'm.room.create', content: { room_version: '2', creator: charlie }, stateKey: '' }, count + 1)
  writeFacts(store, [create, ...users.map(join)], count + 1)
  return { store, next: 2 * count + 2 }
}

const den: RoomId = '!den:a.example'
const said = (position: number, content: JsonObject = {}, sender = charlie) =>
  appended({ roomId: den, sender, type: 'm.room.message', content: { msgtype: 'm.text', body: 'hi', ...content } }, position)
const rowsIn = ({ db }: Store): number =>
  UNREAD_TABLES.reduce((total, table) => total + (db.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${table}`).get()?.count ?? 0), 0)

describe('what is written', () => {
  test.each([10, 1_000])('for a message in a room of %i of our users is one row for their class', (count) => {
    const { store, next } = crowd(count)
    writeFacts(store, [said(next)], next)
    const before = rowsIn(store)
    writeFacts(store, [said(next + 1), said(next + 2), said(next + 3)], next + 1)
    expect(rowsIn(store) - before).toBe(3)
    expect(unreadCounts(store, `@user${count - 1}:a.example`, den)).toMatchObject({ notify: 4 })
  })

  test('for a mention is three rows more, and two of them go when it is read', () => {
    const { store, next } = crowd(5)
    const user: UserId = '@user3:a.example'
    writeFacts(store, [said(next)], next)
    const before = rowsIn(store)
    writeFacts(store, [said(next + 1, { 'm.mentions': { user_ids: [user] } })], next + 1)
    expect(rowsIn(store) - before).toBe(3)
    writeFacts(store, [{ kind: 'receiptPosted', roomId: den, userId: user, receiptType: 'm.read', eventId: eventIdAt(next + 1), threadId: null, ts: 1 } as Kinded], next + 2)
    expect(rowsIn(store) - before).toBe(2)
  })

  test('for who is alone in a room is nothing', () => {
    const { store, next } = crowd(1)
    const before = rowsIn(store)
    writeFacts(store, [said(next, {}, '@user0:a.example')], next)
    expect(rowsIn(store)).toBe(before)
  })

  test(`for changes of rules is a row each, and ${SEGMENTS_LIMIT} of them at most`, () => {
    const { store, next } = crowd(3)
    let position = next
    for (let round = 0; round < SEGMENTS_LIMIT + 5; round++) {
      const choices = round % 2 === 0 ? NO_PUSH_RULE_CHOICES : withOwn('underride', own('all', { actions: ['notify'] }))
      writeFacts(store, [said(position), { kind: 'pushRulesChanged', userId: '@user1:a.example', choices } as Kinded], position)
      position += 2
    }
    expect(store.db.query('SELECT count(*) AS count FROM unread_segments').get()).toEqual({ count: SEGMENTS_LIMIT })
    expect(unreadCounts(store, '@user1:a.example', den).notify).toBeLessThanOrEqual(SEGMENTS_LIMIT + 1)
  })

  test('is forgotten with the membership', () => {
    const { store, next } = crowd(2)
    const user: UserId = '@user1:a.example'
    writeFacts(store, [said(next, { 'm.mentions': { user_ids: [user] } })], next)
    const leave = appended({ roomId: den, sender: user, type: 'm.room.member', content: { membership: 'leave' }, stateKey: user }, next + 1)
    writeFacts(store, [leave], next + 1)
    const count = (table: string) => store.db.query(`SELECT count(*) AS count FROM ${table} WHERE user = ?`).get(store.names.numberOf(user))
    for (const table of ['unread_readers', 'unread_marks', 'unread_segments', 'unread_personal']) expect(count(table)).toEqual({ count: 0 })
    expect(unreadCounts(store, user, den)).toEqual({ notify: 0, highlight: 0, threads: new Map() })
  })
})

test('rules that come out as another class in a new version of the program close the old one', () => {
  const { store, next } = crowd(2)
  const user: UserId = '@user1:a.example'
  writeFacts(store, [said(next)], next)
  store.db.query('UPDATE unread_readers SET class = ? WHERE user = ?').run(store.names.numberOf('an older key'), store.names.numberOf(user))
  forgetAudiences(store.audiences)
  writeFacts(store, [said(next + 1)], next + 1)
  expect(unreadCounts(store, user, den).notify).toBe(1)
})

const redacted = (position: number): Kinded => ({ kind: 'eventRedacted', roomId: den, eventId: eventIdAt(position), redactedBy: eventIdAt(position) }) as Kinded
const relation = (rel_type: string, position: number): JsonObject => ({ 'm.relates_to': { rel_type, event_id: eventIdAt(position) } })
const all: JsonObject = { 'm.mentions': { room: true } }

test('a redacted event is found where it was counted, even when what led there was redacted before', () => {
  const { store, next } = crowd(2)
  const [root, reply, edit] = [next, next + 1, next + 2]
  writeFacts(store, [said(root), said(reply, relation('m.thread', root)), said(edit, { ...relation('m.replace', reply), ...all })], root)
  const threads = () => Object.fromEntries(unreadCounts(store, '@user1:a.example', den, { perThread: true }).threads)
  expect(threads()).toEqual({ [eventIdAt(root)]: { notify: 2, highlight: 1 } })
  writeFacts(store, [redacted(reply), redacted(edit)], next + 3)
  expect(threads()).toEqual({})
})

test('levels that go with a redacted event count no more', () => {
  const { store, next } = crowd(2)
  const levels = appended({ roomId: den, sender: charlie, type: 'm.room.power_levels', content: { notifications: { room: 0 } }, stateKey: '' }, next)
  writeFacts(store, [levels, said(next + 1, all, '@user0:a.example'), redacted(next), said(next + 3, all, '@user0:a.example')], next)
  expect(unreadCounts(store, '@user1:a.example', den)).toMatchObject({ notify: 2, highlight: 1 })
})
