import { describe, expect, test } from 'bun:test'

import { control, type RunningStatus } from '#admin/control.ts'
import { fakeDoor } from '#harness/fake-server.ts'
import type { ServerName } from '#schema/identifiers.ts'

const about: RunningStatus = {
  version: '1', pid: 7, startedTs: 0, addresses: ['http://127.0.0.1:8008'], dataDir: '/data', sources: [], memoryBytes: 1,
  setupLink: 'http://127.0.0.1:8008/_warren/setup?key=x',
}

function socket(isRunning = true) {
  const door = fakeDoor()
  const happened: string[] = []
  const running = {
    about: () => about,
    stop: () => void happened.push('stop'),
    reload: async () => void happened.push('reload'),
  }
  const routes = control({
    serverName: 'a.example' as ServerName,
    door,
    bug: (error) => void happened.push(String(error)),
    running: isRunning ? running : null,
  })
  const ask = async (method: string, target: string, body?: object): Promise<[number, unknown]> => {
    const init = body ? { method, body: JSON.stringify(body) } : { method }
    const response = await routes.handle(new Request(`http://control.local${target}`, init))
    return [response.status, await response.json()]
  }
  return { door, happened, ask }
}

describe('the control socket', () => {
  test('tells how the server is, and where the first account is made while there is none', async () => {
    const { ask } = socket()
    const stats = { users: 0, monthlyUsers: null, rooms: 1, position: 7, databaseBytes: 4096, isDiskFull: false, problems: [], brokenInvariants: {} }
    expect(await ask('GET', '/status')).toEqual([200, { serverName: 'a.example', stats, running: about }])
    await ask('POST', '/users', { localpart: 'alice' })
    expect(await ask('GET', '/status'))
      .toEqual([200, { serverName: 'a.example', stats: { ...stats, users: 1 }, running: { ...about, setupLink: null } }])
  })

  test('stops and reloads the server', async () => {
    const { ask, happened } = socket()
    expect([await ask('POST', '/stop'), await ask('POST', '/reload'), happened]).toEqual([[200, {}], [200, {}], ['stop', 'reload']])
  })

  test('has nothing to stop when the server does not run', async () => {
    expect(await socket(false).ask('POST', '/stop')).toEqual([400, { errcode: 'M_INVALID_PARAM', error: 'The server does not run' }])
  })

  test('makes, changes and ends accounts', async () => {
    const { ask, door } = socket()
    expect(await ask('POST', '/users', { localpart: 'alice', password: 'one', admin: true })).toEqual([200, { userId: '@alice:a.example' }])
    expect(await ask('POST', '/users/alice/password', { password: 'two' })).toEqual([200, {}])
    expect(await ask('POST', '/users/@alice/admin', { admin: false })).toEqual([200, {}])
    expect(await ask('POST', '/users/@alice:a.example/deactivate')).toEqual([200, {}])
    expect(door.users.get('@alice:a.example')).toMatchObject({ password: 'two', isAdmin: false, isDeactivated: true })
  })

  test('lists accounts by page and part of the name', async () => {
    const { ask } = socket()
    for (const localpart of ['alice', 'bob', 'alina']) await ask('POST', '/users', { localpart })
    await ask('POST', '/users/alina/deactivate')
    const names = async (query: string) =>
      ((await ask('GET', `/users?${query}`))[1] as { users: { userId: string }[] }).users.map(({ userId }) => userId)
    expect(await names('search=ali')).toEqual(['@alice:a.example'])
    expect(await names('search=ali&deactivated=true')).toEqual(['@alice:a.example', '@alina:a.example'])
    expect(await names('from=1&limit=1')).toEqual(['@bob:a.example'])
  })

  test.each([
    ['a user of another server', 'GET', '/users/@charlie:b.example', 400, '@charlie:b.example is a user of another server; this one is a.example'],
    ['a user that is not there', 'GET', '/users/bob', 404, 'There is no user @bob:a.example'],
    ['what is no room', 'GET', '/rooms/den', 400, 'den is no room id; those begin with ! (put it in single quotes)'],
    ['a page of nothing', 'GET', '/users?limit=0', 400, 'limit must be a whole number from 1'],
    ['what it does not know', 'DELETE', '/users', 404, 'The control socket knows no DELETE /users'],
  ])('refuses %s', async (_, method, target, status, error) => {
    expect(await socket().ask(method, target)).toMatchObject([status, { error }])
  })

  test('checks what it is sent', async () => {
    expect(await socket().ask('POST', '/users', { localpart: 7 })).toMatchObject([400, { errcode: 'M_BAD_JSON' }])
    expect(await socket().ask('POST', '/users', {})).toMatchObject([400, { errcode: 'M_MISSING_PARAM' }])
  })

  test('shows rooms and actors', async () => {
    const { ask } = socket()
    expect(await ask('GET', '/rooms')).toMatchObject([200, { total: 1, rooms: [{ roomId: '!den:a.example' }] }])
    expect(await ask('GET', `/rooms/${encodeURIComponent('!den:a.example')}`)).toMatchObject([200, { stateEvents: 9 }])
    expect(await ask('GET', '/actors')).toMatchObject([200, { actors: [{ kind: 'room', turns: 40 }] }])
  })
})
