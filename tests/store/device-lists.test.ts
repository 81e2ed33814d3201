import { afterAll, beforeAll, expect, test } from 'bun:test'
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

type Moment = { position: number; shared: Set<UserId>; changes: Map<UserId, number> }

/** What the reader should be told, from what anyone could have watched: who is in a room with whom, who changed when. */
function expected(before: Moment, after: Moment, reader: UserId): { changed: UserId[]; left: UserId[] } {
  const hasChanged = (userId: UserId): boolean => after.changes.get(userId) !== before.changes.get(userId)
  const changed = [...after.shared, reader].filter((userId) => hasChanged(userId) || (userId !== reader && !before.shared.has(userId)))
  return { changed: changed.sort(), left: [...before.shared].filter((userId) => !after.shared.has(userId)).sort() }
}

test.each([1, 2, 3])('between any two moments the lists are what a recount says (story %p)', async (seed) => {
  const roll = dice(seed)
  const people: Caller[] = []
  for (let count = 0; count < 5; count++) people.push(await here.register(`p${seed}-${count}`))
  const [reader] = people
  if (!reader) throw new Error('nobody is there')
  const rooms: RoomId[] = []
  const inside = new Map<RoomId, Set<UserId>>()
  for (let count = 0; count < 3; count++) {
    const roomId = (await people[count]?.answer('POST', '/v3/createRoom', { preset: 'public_chat' }))?.body.room_id as RoomId
    rooms.push(roomId)
    inside.set(roomId, new Set(people.slice(count, count + 1).map(({ userId }) => userId)))
  }
  const changes = new Map<UserId, number>()
  const moments: Moment[] = []
  const look = (): void => {
    const shared = new Set<UserId>()
    for (const members of inside.values()) if (members.has(reader.userId)) for (const member of members) shared.add(member)
    shared.delete(reader.userId)
    moments.push({ position: here.server.notifier.seen.position, shared, changes: new Map(changes) })
  }
  look()
  for (let step = 0; step < 40; step++) {
    const who = people[roll(people.length)]
    const roomId = rooms[roll(rooms.length)]
    if (!who || !roomId) continue
    const act = roll(3)
    if (act === 0) {
      await who.answer('PUT', `/v3/devices/${who.deviceId}`, { display_name: `name ${step}` })
      changes.set(who.userId, step)
    } else {
      const { status } = await who.answer('POST', act === 1 ? `/v3/join/${roomId}` : `/v3/rooms/${roomId}/leave`, {})
      if (status === 200 && act === 1) inside.get(roomId)?.add(who.userId)
      if (status === 200 && act === 2) inside.get(roomId)?.delete(who.userId)
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
        .toEqual({ from: before.position, to: after.position, ...(before === after ? { changed: [], left: [] } : expected(before, after, reader.userId)) })
})

test('of one user’s changes the newest are kept', () => {
  const { store } = here.server
  const count = (): number => store.db.query<{ n: number }, []>('SELECT count(*) AS n FROM device_list_changes WHERE position > 1000000').get()?.n ?? 0
  for (let index = 1; index <= CHANGES_KEPT + 20; index++) projectDeviceListChange(store, here.bob.userId, 1_000_000 + index)
  expect(count()).toBe(CHANGES_KEPT)
})
