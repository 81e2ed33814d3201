import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

test.each([
  ['POST', '/_matrix/media/v3/upload', 403, 'M_FORBIDDEN'],
  ['PUT', '/_matrix/media/v3/upload/a.example/face', 403, 'M_FORBIDDEN'],
  ['POST', '/_matrix/media/v1/create', 403, 'M_FORBIDDEN'],
  ['GET', '/v1/media/download/a.example/face', 404, 'M_NOT_FOUND'],
  ['GET', '/v1/media/download/a.example/face/name.png', 404, 'M_NOT_FOUND'],
  ['GET', '/v1/media/thumbnail/a.example/face?width=32&height=32', 404, 'M_NOT_FOUND'],
  ['GET', '/_matrix/media/v3/download/a.example/face', 404, 'M_NOT_FOUND'],
  ['GET', '/_matrix/media/v3/download/a.example/face/name.png', 404, 'M_NOT_FOUND'],
  ['GET', '/_matrix/media/v3/thumbnail/a.example/face?width=32&height=32', 404, 'M_NOT_FOUND'],
  ['GET', '/v1/media/preview_url?url=https%3A%2F%2Fx.example', 404, 'M_UNRECOGNIZED'],
  ['GET', '/_matrix/media/v3/preview_url?url=https%3A%2F%2Fx.example', 404, 'M_UNRECOGNIZED'],
])('%s %s finds and takes no media', async (method, path, status, errcode) => {
  const { alice } = await house()
  expect(await alice.answer(method, path)).toMatchObject({ status, body: { errcode } })
})

test('the largest upload is none', async () => {
  const { alice, stranger } = await house()
  expect(await alice.answer('GET', '/v1/media/config')).toEqual({ status: 200, body: { 'm.upload.size': 0 } })
  expect(await alice.answer('GET', '/_matrix/media/v3/config')).toEqual({ status: 200, body: { 'm.upload.size': 0 } })
  expect((await stranger.answer('GET', '/v1/media/download/a.example/face')).status).toBe(401)
})
