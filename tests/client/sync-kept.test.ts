import { expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'
import { type Kept, type KeepingClient, slidingClient, syncingClient } from '#harness/keeping-clients.ts'
import { done, inRoom, makeRoom, type ShownEvent, wholeState } from '#harness/rooms.ts'
import { syncOf } from '#harness/sync.ts'
import type { RoomId } from '#schema/identifiers.ts'

/** Whatever happens, and whichever answers get lost: a client has what is so. */

const STEPS = 150
const LOOKS = 5

/** Small and seeded: the same story every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

type Roll = ReturnType<typeof dice>
type World = Readonly<{ alice: Caller; bob: Caller; carol: Caller; rooms: readonly RoomId[]; roll: Roll; said: string[] }>

const pick = <T>(roll: Roll, ...of: readonly [T, ...T[]]): T => of[roll(of.length)] ?? of[0]

async function begin(here: House, roll: Roll): Promise<World> {
  const { alice, bob } = here
  const carol = await here.register('carol')
  const rooms: RoomId[] = []
  for (const history_visibility of ['shared', 'joined', 'invited'] as const) {
    const visibility = { type: 'm.room.history_visibility', state_key: '', content: { history_visibility } }
    const roomId = await makeRoom(alice, { preset: 'public_chat', initial_state: [visibility], power_level_content_override: { state_default: 0, events: {} } })
    for (const guest of [bob, carol]) if (roll(3) > 0) await done(guest, 'POST', inRoom(roomId, '/join'), {})
    rooms.push(roomId)
  }
  return { alice, bob, carol, rooms, roll, said: [] }
}

/** Something that somebody tries; that it is refused is fine. */
async function step({ alice, bob, carol, rooms, roll, said }: World): Promise<void> {
  const roomId = rooms[roll(rooms.length)] ?? '!'
  const who = pick(roll, alice, carol, bob)
  const what = roll(12)
  const last = said.at(-1 - roll(3)) ?? '$none'
  const own = `/v3/user/${bob.userId}/rooms/${roomId}/account_data/org.example.${roll(2)}`
  if (what < 3) {
    const { body } = await who.answer('PUT', inRoom(roomId, `/send/m.room.message/t${said.length}`), { msgtype: 'm.text', body: `${said.length}`, 'm.mentions': { user_ids: roll(3) === 0 ? [bob.userId] : [] } })
    if (typeof body.event_id === 'string') said.push(body.event_id)
  } else if (what < 6) await who.answer('PUT', inRoom(roomId, `/state/${pick(roll, 'm.room.name', 'm.room.topic', 'org.example.a')}/${pick(roll, '', 'key')}`), { name: `${roll(99)}` })
  else if (what < 8) await bob.answer('POST', inRoom(roomId, `/${pick(roll, 'join', 'join', 'leave')}`), {})
  else if (what < 9) await alice.answer('POST', inRoom(roomId, `/${pick(roll, 'kick', 'ban', 'unban', 'invite')}`), { user_id: pick(roll, bob, carol).userId })
  else if (what < 10) await who.answer('POST', inRoom(roomId, `/receipt/m.read/${encodeURIComponent(last)}`), {})
  else if (what < 11) await who.answer('PUT', `/v3/profile/${who.userId}/displayname`, { displayname: `${roll(99)}` })
  else if (roll(2) === 0) await bob.answer('PUT', own, { value: roll(99) })
  else await bob.answer('DELETE', own.replace('/v3/', '/unstable/org.matrix.msc3391/'))
}

async function clientsOf(here: House, roll: Roll): Promise<KeepingClient[]> {
  const few = (): number => 1 + roll(3)
  const device = (name: string) => here.login(here.bob.userId, name)
  const lazy = { state: { lazy_load_members: true } }
  return [
    syncingClient('plain', await device('PLAIN'), { limit: few }),
    syncingClient('roomy', await device('ROOMY'), { limit: () => 50 }),
    syncingClient('after', await device('AFTER'), { limit: few, isStateAfter: true }),
    syncingClient('lazy', await device('LAZY'), { limit: few, filter: lazy }),
    syncingClient('lazy after', await device('LAZYAFTER'), { limit: few, filter: lazy, isStateAfter: true }),
    slidingClient('sliding', await device('SLIDING'), { limit: few, requiredState: [['*', '*']] }),
    slidingClient('lazily sliding', await device('LAZYSLIDING'), { limit: few, requiredState: [['m.room.name', '*'], ['m.room.member', '$LAZY']] }),
  ]
}

/** Of a lazy client what it has of members has to be right, not complete. */
function seenBy({ name }: KeepingClient, { state }: Kept, real: ReadonlyMap<string, string>): [Map<string, string>, Map<string, string>] {
  const isLazy = name.startsWith('lazy') || name.startsWith('lazily')
  const isSparse = name.startsWith('lazily')
  const isWanted = (place: string): boolean =>
    place.startsWith('m.room.member|') ? !isLazy || state.has(place) : !isSparse || place.startsWith('m.room.name|')
  const only = (places: ReadonlyMap<string, string>) => new Map([...places].filter(([place]) => isWanted(place)).sort())
  return [only(state), only(real)]
}

async function look({ bob }: World, clients: readonly KeepingClient[]): Promise<void> {
  for (const client of clients) for (let turn = 0; turn < 2; turn++) await client.sync(false)
  const { rooms } = await syncOf(bob)
  const joined = Object.entries(rooms?.join ?? {})
  for (const [roomId, room] of joined) {
    const real = new Map((await wholeState(bob, roomId as RoomId)).map(({ type, state_key, event_id }) => [`${type}|${state_key}`, event_id]))
    const accountData = new Map(room.account_data.events.map(({ type, content }) => [type, JSON.stringify(content)]))
    const { chunk } = (await done(bob, 'GET', inRoom(roomId, '/messages?dir=b&limit=100'))) as { chunk: ShownEvent[] }
    const history = chunk.map(({ event_id }) => event_id).reverse()
    for (const client of clients) {
      const kept = client.rooms.get(roomId)
      if (!kept) throw new Error(`${client.name} lacks ${roomId}`)
      const [has, is] = seenBy(client, kept, real)
      // State that the history hides stands in a timeline all the same.
      const timeline = kept.timeline.filter((eventId) => history.includes(eventId))
      expect([client.name, has, new Map([...kept.accountData].sort()), kept.counts, timeline])
        .toEqual([client.name, is, new Map([...accountData].sort()), room.unread_notifications, history.slice(history.length - timeline.length)])
    }
  }
  for (const client of clients.slice(0, 5)) expect([...client.rooms.keys()].sort()).toEqual(joined.map(([roomId]) => roomId).sort())
}

test.each([1, 2, 3, 4, 5, 6])('what clients have put together is what is so, whatever got lost on the way (story %p)', async (seed) => {
  const here = await house()
  const roll = dice(seed)
  const world = await begin(here, roll)
  const clients = await clientsOf(here, roll)
  for (let count = 1; count <= STEPS; count++) {
    await step(world)
    if (roll(2) === 0) await clients[roll(clients.length)]?.sync(roll(7) === 0)
    if (count % (STEPS / LOOKS) === 0) await look(world, clients)
  }
  here.close()
})
