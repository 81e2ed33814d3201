import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Kinded } from '#actors/kernel/actor.ts'
import { pushSubject } from '#core/push-rules/conditions.ts'
import type { PushRule } from '#core/push-rules/defaults.ts'
import { type CompiledRuleset, compileRuleset, evaluate, type PushOutcome, SILENT } from '#core/push-rules/evaluate.ts'
import { NO_PUSH_RULE_CHOICES, type PushRuleChoices, rulesetFor } from '#core/push-rules/ruleset.ts'
import type { JsonObject } from '#core/pdu.ts'
import { threadOf } from '#core/threads.ts'
import type { EventId, RoomId, UserId } from '#schema/identifiers.ts'
import { forgetAudiences } from '#store/push-audience.ts'
import type { Store } from '#store/store.ts'
import { countMissed, type UnreadCount, unreadCounts } from '#store/unread.ts'
import { SEGMENTS_LIMIT } from '#store/unread-readers.ts'
import { appended, emptyStore, eventIdAt, registered, type Said, write } from './unread-history.ts'

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
class History {
  readonly store: Store = emptyStore()
  readonly facts: Kinded[] = []
  readonly rooms = new Map<RoomId, RoomModel>()
  readonly choices = new Map<UserId, PushRuleChoices>()
  readonly rulesets = new Map<UserId, CompiledRuleset>()
  readonly ignored = new Map<UserId, readonly UserId[]>()
  marks: Mark[] = []

  constructor() {
    for (const userId of OURS) this.write(registered(userId))
    for (const roomId of ROOMS) {
      this.rooms.set(roomId, { joined: new Map(), names: new Map(), levels: {}, events: [] })
      this.say({ roomId, sender: charlie, type: 'm.room.create', content: { room_version: '2', creator: charlie }, stateKey: '' })
      for (const userId of EVERYONE) this.member(roomId, userId, 'join')
    }
  }

  write(...facts: Kinded[]): number {
    write(this.store, facts, this.facts.length + 1)
    return this.facts.push(...facts)
  }

  model(roomId: RoomId): RoomModel {
    const model = this.rooms.get(roomId)
    if (!model) throw new Error('no such room')
    return model
  }

  member(roomId: RoomId, userId: UserId, membership: string, displayname = userId.slice(1, 4)): void {
    const content = membership === 'join' ? { membership, displayname } : { membership }
    const { joined, names } = this.model(roomId)
    const wasJoined = joined.has(userId)
    const position = this.say({ roomId, sender: userId, type: 'm.room.member', content, stateKey: userId })
    names.set(userId, displayname)
    if (membership !== 'join') {
      joined.delete(userId)
      this.marks = this.marks.filter((mark) => mark.userId !== userId || mark.roomId !== roomId)
    } else if (!wasJoined) joined.set(userId, position)
  }

  say(said: Said): number {
    const model = this.model(said.roomId)
    const position = this.facts.length + 1
    const contentOf = (eventId: EventId): JsonObject | undefined =>
      model.events.find((other) => eventIdAt(other.position) === eventId)?.content
    const thread = threadOf(said.content, contentOf)
    const outcomes = new Map([...model.joined.keys()].map((userId) => [userId, this.outcome(said, userId, thread !== 'main')]))
    this.write(appended(said, position))
    const place = said.stateKey === undefined ? undefined : `${said.type} ${said.stateKey}`
    model.events.push({ position, place, roomId: said.roomId, sender: said.sender, content: said.content, thread, outcomes, isRedacted: false })
    const isMark = said.stateKey === undefined && said.type !== 'm.room.redaction'
    if (isMark) this.marks.push({ userId: said.sender, roomId: said.roomId, thread, position })
    return position
  }

  outcome({ roomId, sender, type, content, stateKey }: Said, userId: UserId, isInThread: boolean): PushOutcome {
    if (!OURS.includes(userId) || sender === userId || this.ignored.get(userId)?.includes(sender)) return SILENT
    const { joined, names, levels } = this.model(roomId)
    const ruleset = this.rulesets.getOrInsertComputed(userId, () => compileRuleset(rulesetFor(this.choices.get(userId) ?? NO_PUSH_RULE_CHOICES, userId), userId))
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

  run(op: Op): void {
    if ('room' in op && 'who' in op) {
      const [roomId, userId] = [ROOMS[op.room] ?? '!', EVERYONE[op.who] ?? charlie]
      const model = this.model(roomId)
      const target = 'to' in op ? model.events.at(-1 - (op.to % model.events.length)) : undefined
      const isJoined = model.joined.has(userId)
      if (op.op === 'move') this.member(roomId, userId, isJoined ? 'leave' : 'join')
      else if (!isJoined) return
      else if (op.op === 'say' && 'how' in op && 'body' in op && target) this.speak(roomId, userId, target, op)
      else if (op.op === 'receipt' && 'thread' in op && target) this.receipt(roomId, userId, target, op)
      else if (op.op === 'state' && 'level' in op) this.state(roomId, userId, op)
    } else if ('to' in op && 'room' in op) this.redact(ROOMS[op.room] ?? '!', op.to)
    else if ('choices' in op) this.choose(OURS[op.who] ?? charlie, CHOICES[op.choices] ?? NO_PUSH_RULE_CHOICES)
    else if ('ignored' in op) this.ignore(OURS[op.who] ?? charlie, op.ignored)
    else if ('isRollback' in op) this.forget(op.isRollback)
    else this.look()
  }

  speak(roomId: RoomId, sender: UserId, target: Seen, { how, body, mentions }: { how: number; body: number; mentions: string[] }): void {
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
    this.say({ roomId, sender, type, content })
  }

  receipt(roomId: RoomId, userId: UserId, target: Seen, { thread, isPrivate }: { thread: string; isPrivate: boolean }): void {
    const threadId = thread === 'all' ? null : thread === 'own' ? target.thread : 'main'
    const receiptType = isPrivate ? 'm.read.private' : 'm.read'
    this.write({ kind: 'receiptPosted', roomId, userId, receiptType, eventId: eventIdAt(target.position), threadId, ts: 1 } as Kinded)
    this.marks.push({ userId, roomId, thread: threadId, position: target.position })
  }

  redact(roomId: RoomId, to: number): void {
    const model = this.model(roomId)
    const target = model.events.at(-1 - (to % model.events.length))
    if (!target || target.sender === charlie && target.position < 15) return
    const redactedBy = eventIdAt(target.position)
    this.write({ kind: 'eventRedacted', roomId, eventId: eventIdAt(target.position), redactedBy } as Kinded)
    target.isRedacted = true
    const isCurrent = model.events.findLast(({ place }) => place === target.place) === target
    if (isCurrent && target.place === 'm.room.power_levels ') model.levels = { users: model.levels.users ?? {} }
    if (isCurrent && target.place?.startsWith('m.room.member ')) model.names.set(target.sender, '')
    target.content = {}
  }

  state(roomId: RoomId, sender: UserId, { how, level }: { how: number; level: number }): void {
    const model = this.model(roomId)
    if (how === 0) this.say({ roomId, sender, type: 'm.room.tombstone', content: { body: 'gone' }, stateKey: '' })
    else if (how === 1) this.say({ roomId, sender, type: 'm.room.topic', content: { topic: 'cheese' }, stateKey: '' })
    else if (how === 2) this.member(roomId, sender, 'join', level === 0 ? 'cheese' : 'hello')
    else {
      const levels = { users: { [sender]: level }, notifications: { room: level === 0 ? 50 : 20 } }
      this.say({ roomId, sender, type: 'm.room.power_levels', content: levels, stateKey: '' })
      model.levels = levels
    }
  }

  choose(userId: UserId, choices: PushRuleChoices): void {
    this.write({ kind: 'pushRulesChanged', userId, choices } as Kinded)
    this.choices.set(userId, choices)
    this.rulesets.delete(userId)
  }

  ignore(userId: UserId, ignored: readonly UserId[]): void {
    const content = { ignored_users: Object.fromEntries(ignored.map((other) => [other, {}])) }
    this.write({ kind: 'accountDataSet', userId, roomId: null, type: 'm.ignored_user_list', content } as Kinded)
    this.ignored.set(userId, ignored)
  }

  forget(isRollback: boolean): void {
    if (!isRollback) return forgetAudiences(this.store.audiences)
    const said = appended({ roomId: ROOMS[0] ?? '!', sender: charlie, type: 'm.room.message', content: { body: 'never said' } }, this.facts.length + 1)
    expect(() => write(this.store, [said, { kind: 'unheardOf' }], this.facts.length + 1)).toThrow()
  }

  /** By the definition, from the list of all events. */
  recount(userId: UserId, roomId: RoomId): Record<string, UnreadCount> {
    const { joined, events } = this.model(roomId)
    const since = joined.get(userId)
    if (since === undefined) return {}
    const counts: Record<string, { notify: number; highlight: number }> = {}
    for (const { position, thread, outcomes, isRedacted } of events) {
      const outcome = outcomes.get(userId)
      const isRead = this.marks.some((mark) =>
        mark.userId === userId && mark.roomId === roomId && mark.position >= position && (mark.thread === null || mark.thread === thread))
      if (position <= since || isRead || isRedacted || !outcome?.notify) continue
      const count = (counts[thread] ??= { notify: 0, highlight: 0 })
      count.notify += 1
      if (outcome.highlight) count.highlight += 1
    }
    return counts
  }

  look(): void {
    for (const userId of OURS) {
      let missed = 0
      for (const roomId of ROOMS) {
        const expected = this.recount(userId, roomId)
        const { threads, ...main } = unreadCounts(this.store, userId, roomId, { perThread: true })
        const counted = { ...Object.fromEntries(threads), ...(main.notify > 0 ? { main } : {}) }
        expect({ userId, roomId, ...counted }).toEqual({ userId, roomId, ...expected })
        const total = Object.values(expected).reduce((sum, count) => ({ notify: sum.notify + count.notify, highlight: sum.highlight + count.highlight }), { notify: 0, highlight: 0 })
        expect(unreadCounts(this.store, userId, roomId)).toEqual({ ...total, threads: new Map() })
        missed += total.notify
      }
      expect(countMissed(this.store, userId, { byRoom: false })).toBe(missed)
    }
  }
}

const UNREAD_TABLES = ['unread_readers', 'unread_marks', 'unread_segments', 'unread_counters', 'unread_steps', 'unread_redacted', 'unread_personal', 'notifications', 'class_highlights']
const tablesOf = ({ db }: Store): unknown => Object.fromEntries(UNREAD_TABLES.map((table) => [table, db.query(`SELECT * FROM ${table}`).all()]))

describe('counts over random histories', () => {
  test('equal a recount from scratch', () => {
    fc.assert(fc.property(fc.array(ops, { minLength: 20, maxLength: 70 }), (script) => {
      const history = new History()
      for (const op of script) history.run(op)
      history.look()
      history.store.db.close()
    }), { numRuns: Number(process.env.UNREAD_RUNS ?? 250), includeErrorInReport: true, ...(process.env.UNREAD_SEED ? { seed: Number(process.env.UNREAD_SEED), path: process.env.UNREAD_PATH ?? "" } : {}) })
  }, 60_000)

  test('lie in tables that do not depend on what the writer had at hand', () => {
    fc.assert(fc.property(fc.array(ops, { minLength: 20, maxLength: 70 }), (script) => {
      const history = new History()
      for (const op of script) history.run(op)
      const again = emptyStore()
      write(again, history.facts, 1)
      expect(tablesOf(again)).toEqual(tablesOf(history.store))
      again.db.close()
      history.store.db.close()
    }), { numRuns: 40, includeErrorInReport: true, ...(process.env.SEED2 ? { seed: Number(process.env.SEED2), path: process.env.PATH2 ?? "" } : {}) })
  }, 60_000)
})
void SEGMENTS_LIMIT
