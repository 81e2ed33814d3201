import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { done, makeRoom, say } from '#harness/rooms.ts'
import { findEventNum } from '#store/events.ts'
import { findMatches, SEARCH_LIMITS } from '#store/search.ts'

test('finds the same by what is newest in the house, by the rooms, and by both', async () => {
  const { alice, bob, server, close } = await house()
  const [first, second, loud] = [await makeRoom(alice), await makeRoom(alice), await makeRoom(bob)]
  const wanted = [await say(alice, first, 'frog one'), await say(alice, second, 'frog two')]
  for (let number = 0; number < 5; number++) await say(bob, loud, `frog of the others ${number}`)
  await done(alice, 'POST', '/v3/search', { search_categories: { room_events: { search_term: 'frog' } } })

  const { store } = server
  const number = (text: string): number => store.names.find(text) ?? 0
  const query = {
    match: '"frog"', looseMatch: '"frog"', words: ['frog'], order: 'recent', until: Number.MAX_SAFE_INTEGER,
    rooms: [first, second].map(number), types: [number('m.room.message')],
  } as const
  const expected = wanted.map((eventId) => findEventNum(store, eventId)).reverse()
  const ways = [SEARCH_LIMITS, { places: 0, scanned: 100 }, { places: 0, scanned: 7 }, { places: 0, scanned: 6 }, { places: 0, scanned: 2 }]
  for (const limits of ways) expect(findMatches(store, query, limits).nums).toEqual(expected as number[])
  await close()
})
