import { afterAll, beforeAll, expect, test } from 'bun:test'
import { deviceKeysOf } from '#harness/encryption-keys.ts'
import { type Caller, type House, house } from '#harness/house.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import { CHANGES_KEPT, listDeviceListChanges, projectDeviceListChange } from '#store/device-lists.ts'
import { listRoomsOf } from '#store/memberships.ts'

let here: House
beforeAll(async () => {
  here = await house()
})
afterAll(() => here.close())

/** Small and seeded: the same story every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % sides
  }
}

/** 2: in a room with the reader; 1: invited to one that the reader is in. */
type Moment = { position: number; nearness: Map<UserId, number>; changes: Map<UserId, number> }

/** What the reader should be told, from what anyone could have watched: who is in a room with whom, who changed when. */
function expected(before: Moment, after: Moment, reader: UserId): { changed: UserId[]; left: UserId[] } {
  if (before === after) return { changed: [], left: [] }
  const hasChanged = (userId: UserId): boolean => after.changes.get(userId) !== before.changes.get(userId)
  const changed = [...after.nearness].flatMap(([userId, is]) =>
    hasChanged(userId) || is > (before.nearness.get(userId) ?? 0) ? [userId] : [])
  if (hasChanged(reader)) changed.push(reader)
  return { changed: changed.sort(), left: [...before.nearness.keys()].filter((userId) => !after.nearness.has(userId)).sort() }
}

/** What one does to another in a room, and where that one stands afterwards: 2 in it, 1 invited, 0 neither. */
const IN_ROOMS = [
  ['join', 2], ['join', 2], ['leave', 0], ['invite', 1], ['invite', 1], ['kick', 0], ['ban', 0], ['unban', 0],
] as const

/** What changes a user's devices or cross-signing keys. */
const ON_DEVICES: readonly ((who: Caller, step: number) => Promise<unknown>)[] = [
  (who, step) => who.answer('PUT', `/v3/devices/${who.deviceId}`, { display_name: `name ${step}` }),
  (who, step) => who.answer('POST', '/v3/keys/upload', { device_keys: deviceKeysOf(who.userId, who.deviceId, `keys ${step}`) }),
  (who, step) => here.login(who.userId, `NEW${step}`),
  async (who, step) => (await here.login(who.userId, `BRIEF${step}`)).answer('POST', '/v3/logout', {}),
  (who, step) => here.server.user(who.userId).ask({
    kind: 'uploadCrossSigningKeys', signedBy: null, isProven: true,
    keys: { master: { publicKey: `key ${step}`, json: '{}', digest: `${step}` } },
  }, 'test'),
]

test.each([1, 2, 3, 4, 5, 6])('between any two moments the lists are what a recount says (story %p)', async (seed) => {
  const roll = dice(seed)
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)] as T
  const people: Caller[] = []
  for (let count = 0; count < 5; count++) people.push(await here.register(`p${seed}-${count}`))
  const reader = people[0] as Caller
  const standing = new Map<RoomId, Map<UserId, number>>()
  for (const founder of people.slice(0, 3)) {
    const { room_id } = (await founder.answer('POST', '/v3/createRoom', { preset: 'public_chat' })).body
    standing.set(room_id as RoomId, new Map([[founder.userId, 2]]))
  }
  const changes = new Map<UserId, number>()
  const moments: Moment[] = []
  const look = (): void => {
    const nearness = new Map<UserId, number>()
    for (const members of standing.values())
      if (members.get(reader.userId) === 2)
        for (const [member, level] of members) nearness.set(member, Math.max(level, nearness.get(member) ?? 0))
    nearness.delete(reader.userId)
    moments.push({ position: here.server.notifier.seen.position, nearness, changes: new Map(changes) })
  }
  look()
  for (let step = 0; step < 70; step++) {
    const [who, other] = [pick(people), pick(people)]
    if (roll(3) === 0) {
      await pick(ON_DEVICES)(who, step)
      changes.set(who.userId, step)
    } else {
      const [roomId, members] = pick([...standing])
      const [act, level] = pick(IN_ROOMS)
      const isOwn = act === 'join' || act === 'leave'
      const path = act === 'join' ? `/v3/join/${roomId}` : `/v3/rooms/${roomId}/${act}`
      const { status } = await who.answer('POST', path, isOwn ? {} : { user_id: other.userId })
      const target = isOwn ? who.userId : other.userId
      if (status === 200 && level === 0) members.delete(target)
      else if (status === 200) members.set(target, level)
    }
    look()
  }
  const found = (since: number, until: number) => {
    const { changed, left } = listDeviceListChanges(here.server.store, {
      userId: reader.userId, since, until, rooms: listRoomsOf(here.server.store, reader.userId, 'join'),
    })
    return { changed: [...changed].sort(), left: [...left].sort() }
  }
  for (const [from, before] of moments.entries())
    for (const after of moments.slice(from))
      expect({ from: before.position, to: after.position, ...found(before.position, after.position) })
        .toEqual({ from: before.position, to: after.position, ...expected(before, after, reader.userId) })
})

test('of one user’s changes the newest are kept', () => {
  const { store } = here.server
  const count = (): number => store.db.query<{ n: number }, []>('SELECT count(*) AS n FROM device_list_changes WHERE position > 1000000').get()?.n ?? 0
  for (let index = 1; index <= CHANGES_KEPT + 20; index++) projectDeviceListChange(store, here.bob.userId, 1_000_000 + index)
  expect(count()).toBe(CHANGES_KEPT)
})
