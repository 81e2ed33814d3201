import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Caller, type House, house } from '#harness/house.ts'

let here: House
let roomId: string
beforeAll(async () => {
  here = await house()
  const { body } = await here.alice.answer('POST', '/v3/createRoom', { preset: 'public_chat' })
  roomId = body.room_id as string
})
afterAll(() => here.close())

const send = (who: Caller, txnId: string, content: unknown = { msgtype: 'm.text', body: txnId }, type = 'm.room.message') =>
  who.answer('PUT', `/v3/rooms/${roomId}/send/${type}/${txnId}`, content)
const eventOf = async (eventId: unknown) => (await here.alice.answer('GET', `/v3/rooms/${roomId}/event/${eventId}`)).body

describe('sending', () => {
  test('answers with the id under which the event is found', async () => {
    const { status, body } = await send(here.alice, 'plain')
    expect({ status, keys: Object.keys(body) }).toEqual({ status: 200, keys: ['event_id'] })
    expect(await eventOf(body.event_id)).toMatchObject({
      type: 'm.room.message',
      sender: here.alice.userId,
      content: { msgtype: 'm.text', body: 'plain' },
      unsigned: { transaction_id: 'plain' },
    })
  })

  test('keeps integer-like keys, `__proto__` and what it does not know in the content as they are', async () => {
    const text = '{"10":1,"9":2,"__proto__":{"a":[null,true]},"org.example":"\\u00e9\\ud83d\\ude00"}'
    const response = await here.app.handle(new Request(
      `http://a.example/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/org.example.odd/odd`,
      { method: 'PUT', headers: { authorization: `Bearer ${here.alice.token}` }, body: text },
    ))
    const { event_id: eventId } = (await response.json()) as { event_id: string }
    const shown = await here.alice('GET', `/v3/rooms/${roomId}/event/${eventId}`)
    expect(await shown.text()).toContain('"content":{"10":1,"9":2,"__proto__":{"a":[null,true]},"org.example":"é😀"}')
  })

  test('the same transaction id from the same device is one event, from another device it is another', async () => {
    const first = await send(here.alice, 'twice')
    expect((await send(here.alice, 'twice')).body).toEqual(first.body)
    const tablet = await here.login(here.alice.userId, 'TABLET')
    expect((await send(tablet, 'twice')).body).not.toEqual(first.body)
  })

  test('two requests at once with one transaction id are one event', async () => {
    const [one, other] = await Promise.all([send(here.alice, 'race'), send(here.alice, 'race')])
    expect(one.body).toEqual(other.body)
  })

  test('a redaction may be sent like any event', async () => {
    const { body: target } = await send(here.alice, 'to-redact')
    const { status, body } = await send(here.alice, 'redaction', { redacts: target.event_id, reason: 'no' }, 'm.room.redaction')
    expect(status).toBe(200)
    expect(await eventOf(target.event_id)).toMatchObject({ content: {}, unsigned: { redacted_because: { event_id: body.event_id } } })
  })
})

describe('refuses', () => {
  test.each([
    ['a float, which is no canonical JSON', '{"a":1.5}', 400, 'M_BAD_JSON'],
    ['an integer that JSON cannot carry', '{"a":9007199254740993}', 400, 'M_BAD_JSON'],
    ['a key that stands twice', '{"a":1,"a":2}', 400, 'M_BAD_JSON'],
    ['what is no object', '[]', 400, 'M_BAD_JSON'],
    ['what is no JSON', '{', 400, 'M_NOT_JSON'],
    ['an empty body', '', 400, 'M_NOT_JSON'],
    ['an event that is too large', JSON.stringify({ body: 'x'.repeat(70_000) }), 413, 'M_TOO_LARGE'],
  ] as const)('%s', async (_says, body, status, errcode) => {
    const response = await here.app.handle(new Request(
      `http://a.example/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/bad`,
      { method: 'PUT', headers: { authorization: `Bearer ${here.alice.token}` }, body },
    ))
    expect({ status: response.status, ...(await response.json() as object) }).toMatchObject({ status, errcode })
  })

  test('what has a meaning as state only, now and for later', async () => {
    const content = { replacement_room: roomId }
    const refused = { status: 400, body: { errcode: 'M_INVALID_PARAM' } }
    expect(await send(here.alice, 'stone', content, 'm.room.tombstone')).toMatchObject(refused)
    const later = `/v3/rooms/${roomId}/send/m.room.tombstone/later?org.matrix.msc4140.delay=1000`
    expect(await here.alice.answer('PUT', later, content)).toMatchObject(refused)
  })

  test('someone who is not in the room', async () => {
    const { status, body } = await send(here.bob, 'outside')
    expect({ status, errcode: body.errcode }).toEqual({ status: 403, errcode: 'M_FORBIDDEN' })
  })

  test('a room that does not exist, in the same words', async () => {
    const { status, body } = await here.bob.answer('PUT', '/v3/rooms/!nowhere:a.example/send/m.room.message/x', { body: 'x' })
    expect({ status, errcode: body.errcode }).toEqual({ status: 403, errcode: 'M_FORBIDDEN' })
  })

  test('a caller without a token', async () => {
    const { status, body } = await send(here.stranger, 'nobody')
    expect({ status, errcode: body.errcode }).toEqual({ status: 401, errcode: 'M_MISSING_TOKEN' })
  })
})
