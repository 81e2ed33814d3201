import { createPublicKey, sign, verify } from 'node:crypto'
import { decodeBase64 } from '#core/base64.ts'
import { checkEventAuth } from '#core/event-auth/check.ts'
import { selectAuthEvents } from '#core/event-auth/select.ts'
import type { Pdu, RoomEvent } from '#schema/pdu.ts'
import { emptyAudience, evaluateForAudience, seat } from '#core/push-rules/audience.ts'
import { pushSubject } from '#core/push-rules/conditions.ts'
import { defaultRules } from '#core/push-rules/defaults.ts'
import { compileRuleset, rulesetForRoom } from '#core/push-rules/evaluate.ts'
import { redactEvent } from '#core/redaction.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import { roomVersionRules } from '#core/room-version.ts'
import type { Draft } from '#core/seal-event.ts'
import { sealEvent } from '#core/seal-event.ts'
import { eventSigningText, signingKeyFromSeed, verifyBatch, verifyText } from '#core/signing.ts'
import type { StateKey, StateLookup } from '#core/state-key.ts'
import { stateKeyOf } from '#core/state-key.ts'
import type { StateConflict } from '#core/state-res/conflict.ts'
import { resolveConflict, resolveState } from '#core/state-res/resolve.ts'
import type { EventId, ServerName, UserId } from '#schema/identifiers.ts'
import { median } from './statistics.ts'

/** The pure functions in process, one core; each figure is printed beside its aim. */

const MEASURE_MS = 400
const ROUNDS = 5
const BATCH = 512
const BODY_LENGTH = 550

const rules = rulesOf('12')
const server = 'a.example' as ServerName
const key = signingKeyFromSeed('ed25519:bench', new Uint8Array(32).fill(7))
const ts = 1_700_000_000_000

function rulesOf(version: string): RoomVersionRules {
  const found = roomVersionRules(version)
  if (found === undefined) throw new Error(`No room version ${version}`)
  return found
}

type Sealed = ReturnType<typeof sealEvent>

/** A room whose events are sealed as the server seals them, with its state kept beside. */
type Room = {
  readonly state: Map<StateKey, RoomEvent>
  readonly events: Map<EventId, RoomEvent>
  depth: number
  newest: EventId[]
}

const lookInto = (room: Room): StateLookup => (type, stateKey) => room.state.get(stateKeyOf(type, stateKey))

type Told = Pick<Pdu, 'sender' | 'type' | 'state_key' | 'content'>

/** Seals an event at the room's end; a state event enters the room's state unless it stays in its fork. */
function addEvent(room: Room, told: Told, stays: 'in the room' | 'in its fork' = 'in the room'): Sealed {
  const create = room.state.get(stateKeyOf('m.room.create', ''))
  const draft: Draft = {
    ...told,
    ...(create === undefined ? {} : { room_id: create.roomId }),
    origin_server_ts: ts + room.depth,
    depth: ++room.depth,
    prev_events: room.newest,
    auth_events: selectAuthEvents(rules, told, lookInto(room)).map(({ eventId }) => eventId),
  }
  const sealed = sealEvent(rules, draft, server, key)
  room.events.set(sealed.event.eventId, sealed.event)
  room.newest = [sealed.event.eventId]
  const { type, state_key: stateKey } = told
  if (stays === 'in the room' && stateKey !== undefined) room.state.set(stateKeyOf(type, stateKey), sealed.event)
  return sealed
}

/** A public room with that many members. */
function roomOf(members: number): Room {
  const room: Room = { state: new Map(), events: new Map(), depth: 0, newest: [] }
  const sender = memberAt(0)
  addEvent(room, { sender, type: 'm.room.create', state_key: '', content: { room_version: '12' } })
  addEvent(room, joining(0))
  addEvent(room, { sender, type: 'm.room.power_levels', state_key: '', content: { users: { [memberAt(1)]: 50 } } })
  addEvent(room, { sender, type: 'm.room.join_rules', state_key: '', content: { join_rule: 'public' } })
  for (let index = 1; index < members; index++) addEvent(room, joining(index))
  return room
}

function joining(index: number, more: Pdu['content'] = {}): Told {
  const member = memberAt(index)
  return { sender: member, type: 'm.room.member', state_key: member, content: { membership: 'join', ...more } }
}

const memberAt = (index: number): UserId => `@member${index}:a.example`

type Line = { readonly name: string; readonly value: number; readonly unit: '/s' | 'ms'; readonly aim: number | undefined }

function note(line: Line): void {
  const isTime = line.unit === 'ms'
  const shown = (value: number): string =>
    isTime ? `${value.toFixed(2)} ms` : `${Math.round(value).toLocaleString('en')} /s`
  const judged = (aim: number): string => {
    const isKept = isTime ? line.value <= aim : line.value >= aim
    return `${isTime ? '≤' : '≥'} ${shown(aim)}`.padStart(18) + (isKept ? '  ok' : '  MISSED')
  }
  console.log(line.name.padEnd(64) + shown(line.value).padStart(16) + (line.aim === undefined ? '' : judged(line.aim)))
}

/** Milliseconds of this process since the start: by the clock, but not what other processes were given in between. */
function stopwatch(): () => number {
  const [began, worked] = [performance.now(), process.cpuUsage()]
  return () => {
    const { user, system } = process.cpuUsage(worked)
    return Math.min(performance.now() - began, (user + system) / 1000)
  }
}

/**
 * Calls a second of one core, the best of a few rounds: what else the machine does only ever makes it slower. Answers
 * the rate, so that others can be compared with it.
 */
function rateOf(name: string, aim: number | undefined, work: (index: number) => unknown): number {
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    const spent = stopwatch()
    let calls = 0
    while (performance.now() - began < MEASURE_MS / ROUNDS) {
      for (let batch = 0; batch < 20; batch++) work(calls++)
    }
    best = Math.max(best, calls / spent() * 1000)
  }
  note({ name, value: best, unit: '/s', aim })
  return best
}

const beside = (rate: number, raw: number, what: string): void =>
  console.log(`  … ${Math.round(rate / raw * 100)} % of ${what} alone`)

function timeOf(name: string, aim: number | undefined, work: () => unknown): void {
  const times = Array.from({ length: ROUNDS * 2 }, () => {
    const spent = stopwatch()
    work()
    return spent()
  })
  note({ name, value: median(times), unit: 'ms', aim })
}

const small = roomOf(20)
const body = 'x'.repeat(BODY_LENGTH)
const { event: message, json } = addEvent(small, {
  sender: memberAt(3), type: 'm.room.message', content: { msgtype: 'm.text', body },
})
const draft = message.pdu
const signingText = eventSigningText(rules, message.pdu)
const signature = message.pdu.signatures?.[server]?.[key.keyId] ?? ''

console.log(`events of ${json.length} bytes, room version 12\n`)
const signBytes = Buffer.from(signingText)
const publicKey = createPublicKey(key.privateKey)
const signatureBytes = decodeBase64(signature) ?? new Uint8Array()

const signing = rateOf('sign alone', undefined, () => sign(null, signBytes, key.privateKey))
const sealing = rateOf('canonicalise, hash and sign', 20_000, (index) => sealEvent(rules, { ...draft, depth: index + 1 }, server, key))
beside(sealing, signing, 'signing')
const verifying = rateOf('verify alone', undefined, () => verify(null, signBytes, publicKey, signatureBytes))
const judging = rateOf('redact, canonicalise and verify', 12_000, () =>
  verifyText(key.publicKey, eventSigningText(rules, message.pdu), signature))
beside(judging, verifying, 'verifying')
await batches()
rateOf('check the auth rules', 200_000, () => checkEventAuth(rules, message, lookInto(small)))
rateOf('redact', undefined, () => redactEvent(rules, message.pdu))
resolutions()
audiences()

/** Verification off the main thread, on both cores; by the clock, since that is the point of it. */
async function batches(): Promise<void> {
  const items = Array.from({ length: BATCH }, () => ({ publicKey: key.publicKey, text: signingText, signature }))
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    let calls = 0
    while (performance.now() - began < MEASURE_MS / 2) {
      await verifyBatch(items)
      calls += BATCH
    }
    best = Math.max(best, calls / (performance.now() - began) * 1000)
  }
  note({ name: `verify ${BATCH} at once over two cores`, value: best, unit: '/s', aim: 20_000 })
}

type Fork = ReadonlyMap<StateKey, EventId>

/** States of one room that share everything but a few member and topic events each. */
function forksOf(room: Room, forks: number, differences: number): Fork[] {
  const shared = new Map([...room.state].map(([place, event]) => [place, event.eventId] as const))
  return Array.from({ length: forks }, (_, fork) => {
    const state = new Map(shared)
    for (let index = 0; index < differences; index++) {
      const { event } = addEvent(room, joining(2 + index, { displayname: `in fork ${fork}` }), 'in its fork')
      state.set(stateKeyOf('m.room.member', memberAt(2 + index)), event.eventId)
    }
    return state
  })
}

/** The conflict as the server knows it: by difference, with the events in the order of their arrival. */
function conflictOf(room: Room, forks: readonly Fork[], differences: number): StateConflict {
  const arrival = new Map([...room.events.keys()].map((eventId, index) => [eventId, index] as const))
  const newestFirst = [...room.state.values()].map(({ eventId }) => eventId).toReversed()
  const places = Array.from({ length: differences }, (_, index) => stateKeyOf('m.room.member', memberAt(2 + index)))
  const conflicted = new Map(places.map((place) => [place, forks.map((fork) => fork.get(place))] as const))
  return {
    conflicted,
    unconflicted: (place) => conflicted.has(place) ? undefined : room.state.get(place)?.eventId,
    event: (eventId) => room.events.get(eventId),
    order: (eventId) => arrival.get(eventId) ?? 0,
    stateNewestFirst: () => newestFirst,
  }
}

function resolutions(): void {
  for (const entries of [10_000, 100_000]) {
    const room = roomOf(entries)
    const forks = forksOf(room, 2, 20)
    const shown = entries.toLocaleString('en')
    const conflict = conflictOf(room, forks, 20)
    timeOf(`resolve two states of ${shown} that differ in 20, by difference`, 20, () => resolveConflict(rules, conflict))
    timeOf(`  … comparing the whole states`, undefined, () => resolveState(rules, forks, (eventId) => room.events.get(eventId)))
    if (entries > 10_000) continue
    const manyConflicts = conflictOf(room, forksOf(room, 50, 20), 20)
    timeOf(`resolve 50 forks of ${shown}, 20 each, by difference`, undefined, () => resolveConflict(rules, manyConflicts))
  }
}

function audiences(): void {
  const audience = emptyAudience()
  for (let index = 0; index < 1000; index++) {
    const userId = memberAt(index)
    seat(audience, rulesetForRoom(compileRuleset(defaultRules(userId), userId), message.roomId), `Member ${index}`)
  }
  const subject = pushSubject(
    { type: 'm.room.message', sender: memberAt(3), content: message.pdu.content },
    { roomId: message.roomId, memberCount: 1000, senderPowerLevel: 0, notificationLevels: {}, isInThread: false },
  )
  timeOf('push rules of 1,000 members for one message', 5, () => evaluateForAudience(audience, subject))
}
