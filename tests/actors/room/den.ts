import { room } from '#actors/room/room.ts'
import type { NewEvent } from '#actors/room/append.ts'
import { roomIdFor } from '#actors/room/create.ts'
import type { RoomVersion } from '#core/room-version.ts'
import { given, NOW, WORLD } from '#harness/given.ts'
import type { RoomFact } from '#schema/journal/room.ts'

/** A room that alice has made, by its history. */

export const ALICE = '@alice:a.example'
export const BOB = '@bob:a.example'
export const MALLORY = '@mallory:a.example'

type Making = Readonly<{ version?: RoomVersion; joinRules?: NewEvent['content']; levels?: NewEvent['content'] }>

export function creation({ version = '12', joinRules = { join_rule: 'public' }, levels = {} }: Making = {}) {
  const createContent = { room_version: version, ...(Number(version) < 11 ? { creator: ALICE } : {}) }
  const roomId = roomIdFor({ version, userId: ALICE, createContent, ts: NOW, nonce: 'den' }, WORLD)
  const users = version === '12' ? {} : { [ALICE]: 100 }
  const events: NewEvent[] = [
    { type: 'm.room.member', sender: ALICE, stateKey: ALICE, content: { membership: 'join' } },
    { type: 'm.room.power_levels', sender: ALICE, stateKey: '', content: { users, ...levels } },
    { type: 'm.room.join_rules', sender: ALICE, stateKey: '', content: joinRules },
  ]
  const command = { kind: 'createRoom', userId: ALICE, version, ts: NOW, createContent, events, isPublished: false } as const
  return { roomId, command }
}

export function den(making: Making = {}) {
  const { roomId, command } = creation(making)
  return given(room, roomId).and(command)
}

export const join = (userId: typeof ALICE | typeof BOB | typeof MALLORY) => ({ kind: 'joinRoomById', userId, profile: {} }) as const

/** Type, sender, state key and content of the events among the facts. */
export const eventsOf = (facts: readonly RoomFact[]) =>
  facts.flatMap((fact) => (fact.kind === 'eventAppended' ? [fact.pdu] : [])).map(({ type, sender, state_key: stateKey, content }) =>
    ({ type, sender, ...(stateKey === undefined ? {} : { stateKey }), content }))
