import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

const ask = (app: Awaited<ReturnType<typeof house>>['app'], method: string, path: string) =>
  app.handle(new Request(`http://a.example${path}`, { method, headers: { origin: 'https://app.example' } }))

// spec: client-server-api#web-browser-clients
describe('G-83: web clients', () => {
  test.each([
    '/_matrix/client/v3/sync',
    '/_matrix/client/v3/login',
    '/_matrix/client/v3/rooms/!den:a.example/send/m.room.message/1',
    '/_matrix/media/v3/upload',
    '/.well-known/matrix/client',
    '/_matrix/client/v3/no_such_thing',
  ])('may ask beforehand about %s, without a token', async (path) => {
    const { app } = await house()
    const response = await ask(app, 'OPTIONS', path)
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
      expect(response.headers.get('access-control-allow-methods')?.split(', ')).toContain(method)
    for (const header of ['X-Requested-With', 'Content-Type', 'Authorization', 'Date'])
      expect(response.headers.get('access-control-allow-headers')?.split(', ')).toContain(header)
  })

  test.each([
    ['a success', 'GET', '/_matrix/client/versions', 200],
    ['a refusal', 'GET', '/_matrix/client/v3/sync', 401],
    ['an unknown path', 'GET', '/_matrix/client/v3/no_such_thing', 404],
    ['another method', 'DELETE', '/_matrix/client/v3/sync', 405],
  ])('may read %s', async (_says, method, path, status) => {
    const { app } = await house()
    const response = await ask(app, method, path)
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([status, '*'])
    expect(response.headers.get('access-control-expose-headers')).toContain('Retry-After')
  })
})
