import { describe, expect, test } from 'bun:test'
import { checkAuthEventList, checkEventAuth } from '#core/event-auth/check.ts'
import { roomIdOfCreate } from '#core/event-id.ts'
import { type Pdu, type RoomEvent, referencedIds } from '#schema/pdu.ts'
import { KNOWN_ROOM_VERSIONS, type RoomVersion, type RoomVersionRules } from '#core/room-version.ts'
import { stateKeyOf } from '#core/state-key.ts'
import type { Verdict } from '#core/verdict.ts'
import { type Versioned, loadFixture, rulesOf, unexplainedCases } from './fixture.ts'

type Case = readonly [
  state: number,
  event: Pdu,
  synapse: 0 | 1,
  ruma: 0 | 1,
  /** Only where the two disagree: why, and who is right; null where the spec does not say. */
  name?: string,
  right?: 0 | 1 | null,
]
type Room = Readonly<{ states: readonly (readonly Pdu[])[]; cases: readonly Case[] }>

const { versions } = await loadFixture<{ versions: Versioned<Room> }>('event-auth')

function roomEvent(pdu: Pdu): RoomEvent {
  const eventId = pdu.event_id ?? '$event'
  return { eventId, roomId: pdu.room_id ?? roomIdOfCreate(eventId), pdu }
}

function verdictOn(rules: RoomVersionRules, event: RoomEvent, state: readonly RoomEvent[]): Verdict {
  const cited = new Set<string>(referencedIds(event.pdu.auth_events))
  const create = state.find(({ pdu }) => pdu.type === 'm.room.create')
  const listed = checkAuthEventList(
    rules,
    event,
    state.filter(({ eventId }) => cited.has(eventId)),
    create,
  )
  if (!listed.ok) return listed
  const byKey = new Map(state.map((other) => [stateKeyOf(other.pdu.type, other.pdu.state_key ?? ''), other]))
  return checkEventAuth(rules, event, (type, stateKey) => byKey.get(stateKeyOf(type, stateKey)))
}

const expectedOf = ([, , synapse, ruma, , right]: Case) => (synapse === ruma ? synapse : right)

type Lists = Readonly<{
  events: readonly Pdu[]
  /** Indices of events that were rejected. */
  rejected: readonly number[]
  cases: readonly (readonly [event: Pdu, listed: readonly number[], synapse: 0 | 1])[]
}>

const lists = (await loadFixture<{ versions: Versioned<Lists> }>('auth-lists')).versions

function verdictsOn(version: RoomVersion): Verdict[] {
  const { events, rejected, cases } = lists[version]
  const known = events.map((pdu, index) => ({ ...roomEvent(pdu), ...(rejected.includes(index) ? { rejected: true } : {}) }))
  return cases.map(([pdu, listed]) =>
    checkAuthEventList(rulesOf(version), roomEvent(pdu), listed.flatMap((at) => known[at] ?? []), known[0]))
}

describe('G-14: lists of auth events, beside what Synapse says of them', () => {
  test.each([...KNOWN_ROOM_VERSIONS])('room version %s decides 100 lists as it does', (version) => {
    expect(verdictsOn(version).map(({ ok }) => (ok ? 1 : 0))).toEqual(lists[version].cases.map(([, , synapse]) => synapse))
    expect(lists[version].cases).toHaveLength(100)
  })

  test('every point of the rule denies some', () => {
    const denials = KNOWN_ROOM_VERSIONS.flatMap(verdictsOn).flatMap((verdict) => (verdict.ok ? [] : [verdict.rule]))
    expect([...new Set(denials)].sort()).toEqual([1, 2, 3, 4, 5].map((point) => `auth.auth_events.${point}`))
  })
})

describe('the authorisation rules, beside those of other servers', () => {
  test.each([...KNOWN_ROOM_VERSIONS])('room version %s decides 500 cases as they do', (version) => {
    const { states, cases } = versions[version]
    const rules = rulesOf(version)
    const events = states.map((state) => state.map(roomEvent))
    const wrong = cases.flatMap((one, index) => {
      const [state, pdu] = one
      const verdict = verdictOn(rules, roomEvent(pdu), events[state] ?? [])
      const expected = expectedOf(one)
      if (expected === null || verdict.ok === (expected === 1)) return []
      return [{ index, type: pdu.type, verdict, case: one[4] }]
    })
    expect(wrong).toEqual([])
    expect(cases).toHaveLength(500)
  })

  test('whatever the other servers disagree on is written up', async () => {
    const names = KNOWN_ROOM_VERSIONS.flatMap((version) => versions[version].cases.map((one) => one[4]))
    expect(await unexplainedCases(names)).toEqual([])
  })
})
