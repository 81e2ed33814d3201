import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { makeRoom } from '#harness/rooms.ts'

const TRAIL = `SELECT actors.name AS actor, kinds.name AS kind FROM journal
  JOIN names AS actors ON actors.num = journal.actor JOIN names AS kinds ON kinds.num = journal.kind WHERE cause = ? ORDER BY position`

test('a request can be followed through every actor it touched, by the id that its answer carries', async () => {
  const { server, alice } = await house()
  const roomId = await makeRoom(alice)
  const answer = await alice('PUT', `/v3/rooms/${roomId}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' })
  await server.settled()
  expect(server.store.db.query(TRAIL).all(answer.headers.get('x-request-id'))).toEqual([
    { actor: `room/${roomId}`, kind: 'eventAppended' },
  ])
})

test('refusals carry such an id too, each its own, and never the one that a client has sent', async () => {
  const { app } = await house()
  const headers = { 'x-request-id': 'mine' }
  const ask = () => app.handle(new Request('http://a.example/_matrix/client/v3/account/whoami', { headers }))
  const ids = (await Promise.all([ask(), ask()])).map((answer) => answer.headers.get('x-request-id'))
  expect(new Set(['mine', null, ...ids]).size).toBe(4)
})

// spec: client-server-api#put_matrixclientv3roomsroomidstateeventtypestatekey ("the trailing slash is optional")
test('a slash at the end belongs to the path: it names the empty state key, and elsewhere nothing', async () => {
  const { alice } = await house()
  const roomId = await makeRoom(alice)
  const statusOf = async (method: string, path: string, body?: object) => (await alice(method, path, body)).status
  const place = `/v3/rooms/${roomId}/state/m.room.topic`
  expect(await statusOf('PUT', `${place}/`, { topic: 'frogs' })).toBe(200)
  expect([await statusOf('GET', place), await statusOf('GET', `${place}/`)]).toEqual([200, 200])
  expect(await statusOf('GET', '/v3/sync/')).toBe(404)
  expect([await statusOf('GET', '/v3/pushrules/'), await statusOf('GET', '/v3/pushrules')]).toEqual([200, 404])
})

test.each([
  ['is the token itself', (token: string) => token, 200],
  ['may be encoded', (token: string) => [...token].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join(''), 200],
  ['may be encoded wrongly', () => '%zz', 401],
  ['may be empty', () => '', 401],
])('an access token in the query %s', async (_says, write, status) => {
  const { alice, stranger } = await house()
  expect((await stranger('GET', `/v3/account/whoami?access_token=${write(alice.token)}`)).status).toBe(status)
})

test('nobody between server and client keeps an answer', async () => {
  const { alice, stranger } = await house()
  const answers = [await alice('GET', '/v3/account/whoami'), await stranger('GET', '/v3/account/whoami')]
  expect(answers.map(({ headers }) => headers.get('cache-control'))).toEqual(['no-store', 'no-store'])
})
