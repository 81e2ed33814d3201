import { describe, expect, test } from 'bun:test'
import { house, type House } from '#harness/house.ts'

async function withHouse(work: (house: House) => Promise<void>): Promise<void> {
  const opened = await house()
  await work(opened)
  await opened.close()
}
const ACCOUNT = '/user/@alice:a.example/account_data'
const ROOM = '/user/@alice:a.example/rooms/!den/account_data'

describe.each([['of the account', ACCOUNT], ['of a room', ROOM]])('account data %s', (_says, path) => {
  test('are written and read', () => withHouse(async ({ alice }) => {
    expect(await alice.answer('GET', `/v3${path}/org.example.x`)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
    expect(await alice.answer('PUT', `/v3${path}/org.example.x`, { a: [1.5, null] })).toEqual({ status: 200, body: {} })
    expect(await alice.answer('GET', `/v3${path}/org.example.x`)).toEqual({ status: 200, body: { a: [1.5, null] } })
  }))

  test('MSC3391: are deleted', () => withHouse(async ({ alice }) => {
    await alice.answer('PUT', `/v3${path}/org.example.x`, {})
    for (let turn = 0; turn < 2; turn++)
      expect(await alice.answer('DELETE', `/unstable/org.matrix.msc3391${path}/org.example.x`)).toEqual({ status: 200, body: {} })
    expect(await alice.answer('GET', `/v3${path}/org.example.x`)).toMatchObject({ status: 404 })
  }))

  test('are nobody else’s', () => withHouse(async ({ bob }) => {
    for (const [method, body] of [['GET', undefined], ['PUT', {}]] as const)
      expect(await bob.answer(method, `/v3${path}/org.example.x`, body)).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
    expect(await bob.answer('DELETE', `/unstable/org.matrix.msc3391${path}/org.example.x`)).toMatchObject({ status: 403 })
  }))

  test.each([['m.fully_read'], ['m.push_rules']])('%s is not written here', (type) => withHouse(async ({ alice }) => {
    expect(await alice.answer('PUT', `/v3${path}/${type}`, {})).toMatchObject({ status: 405, body: { errcode: 'M_BAD_JSON' } })
    expect(await alice.answer('DELETE', `/unstable/org.matrix.msc3391${path}/${type}`)).toMatchObject({ status: 405 })
  }))

  test.each([
    ['a list', [1], 'M_BAD_JSON'],
    ['nothing', undefined, 'M_NOT_JSON'],
  ])('are objects, not %s', (_what, body, errcode) => withHouse(async ({ alice }) => {
    expect(await alice.answer('PUT', `/v3${path}/org.example.x`, body)).toMatchObject({ status: 400, body: { errcode } })
  }))
})

test('a room id must be one', () => withHouse(async ({ alice }) => {
  expect(await alice.answer('PUT', '/v3/user/@alice:a.example/rooms/den/account_data/x', {})).toMatchObject({ status: 400, body: { errcode: 'M_INVALID_PARAM' } })
}))
