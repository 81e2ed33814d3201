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
