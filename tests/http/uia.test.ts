import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import type { JsonObject } from '#schema/pdu.ts'
import { house, type House } from '#harness/house.ts'
import { logIn } from '#http/sessions.ts'
import { proveIdentity, proveStages, UIA_SESSION_LIMIT, UIA_SESSION_MS, type UiaTerms } from '#http/uia.ts'
import { hashPassword } from '#errands/hash-password.ts'
import { deviceIdOf } from '#schema/identifiers.ts'
import { forbidden, MatrixError } from '#schema/matrix-error.ts'

const TERMS: UiaTerms = {
  flows: [['one', 'two'], ['one', 'three']],
  params: { two: { hint: 'x' } },
  operation: 'register',
  bindsBody: false,
  attempt: async (_stage, { secret }) => (secret === 'wrong' ? forbidden('Wrong secret') : undefined),
}

/** What the client is told: the body of the refusal, or `done`. */
async function outcome(work: Promise<unknown>): Promise<Record<string, unknown> | 'done'> {
  try {
    await work
    return 'done'
  } catch (error) {
    if (error instanceof MatrixError) return { status: error.status, ...error.toJSON() }
    throw error
  }
}

const sessionOf = (answer: unknown): string => (answer as { session: string }).session

async function withHouse(work: (house: House) => Promise<void>, options?: Parameters<typeof house>): Promise<void> {
  const opened = await house(...(options ?? []))
  await work(opened)
  await opened.close()
}

describe('stages', () => {
  test('without auth there are flows, parameters, a session, and no error code', () => withHouse(async ({ server }) => {
    const answer = await outcome(proveStages(server, {}, TERMS))
    expect(answer).toEqual({
      status: 401,
      flows: [{ stages: ['one', 'two'] }, { stages: ['one', 'three'] }],
      params: { two: { hint: 'x' } },
      session: sessionOf(answer),
    })
  }))

  test('are done in order, and what is done is told', () => withHouse(async ({ server }) => {
    const session = sessionOf(await outcome(proveStages(server, {}, TERMS)))
    const attempt = (type: string, more: JsonObject = {}) => outcome(proveStages(server, { auth: { type, session, ...more } }, TERMS))
    expect(await attempt('two')).toMatchObject({ status: 401, errcode: 'M_UNRECOGNIZED', completed: [], session })
    expect(await attempt('one')).toMatchObject({ status: 401, completed: ['one'], session })
    expect(await attempt('three', { secret: 'wrong' })).toMatchObject({ status: 401, errcode: 'M_FORBIDDEN', error: 'Wrong secret', completed: ['one'] })
    expect(await attempt('one', { secret: 'wrong' })).toMatchObject({ status: 401, completed: ['one'] })
    expect(await attempt('three')).toBe('done')
  }))

  test('a client that sends no session may do it in one request', () => withHouse(async ({ server }) => {
    expect(await outcome(proveStages(server, { auth: { type: 'one' } }, { ...TERMS, flows: [['one']] }))).toBe('done')
  }))

  test('an empty auth and null ask for the flows', () => withHouse(async ({ server }) => {
    for (const auth of [{}, null]) expect(await outcome(proveStages(server, { auth }, TERMS))).toMatchObject({ status: 401, params: { two: { hint: 'x' } } })
  }))

  test('a finished session answers a repeated request until it is closed', () => withHouse(async ({ server }) => {
    const terms = { ...TERMS, flows: [['one']] }
    const { session, close } = await proveStages(server, { auth: { type: 'one' } }, terms)
    expect(await outcome(proveStages(server, { auth: { session } }, terms))).toBe('done')
    close()
    const again = await outcome(proveStages(server, { auth: { session } }, terms))
    expect(again).toMatchObject({ status: 401 })
    expect(sessionOf(again)).not.toBe(session)
  }))
})

describe('G-81: a session', () => {
  test('counts for the request that it was begun for', () => withHouse(async ({ server }) => {
    const session = sessionOf(await outcome(proveStages(server, {}, TERMS)))
    expect(await outcome(proveStages(server, { auth: { type: 'one', session } }, { ...TERMS, operation: 'other' }))).toMatchObject({
      status: 403, errcode: 'M_FORBIDDEN',
    })
  }))

  test('holds the body fast where that is asked for', () => withHouse(async ({ server }) => {
    const terms = { ...TERMS, bindsBody: true }
    const session = sessionOf(await outcome(proveStages(server, { devices: ['A'], more: 1 }, terms)))
    const auth = { type: 'one', session }
    expect(await outcome(proveStages(server, { devices: ['B'], more: 1, auth }, terms))).toMatchObject({ status: 403 })
    expect(await outcome(proveStages(server, { more: 1, auth, devices: ['A'] }, terms))).toMatchObject({ status: 401, completed: ['one'] })
  }))

  test('that is unknown or too old is begun again', async () => {
    const clock = manualClock()
    await withHouse(async ({ server }) => {
      const first = await outcome(proveStages(server, { auth: { type: 'one' } }, TERMS))
      clock.advance(UIA_SESSION_MS)
      for (const session of [sessionOf(first), 'unknown']) {
        const answer = await outcome(proveStages(server, { auth: { session } }, TERMS))
        expect(answer).toMatchObject({ status: 401 })
        expect(answer).not.toHaveProperty('completed')
        expect(sessionOf(answer)).not.toBe(session)
      }
    }, [{}, { clock }])
  })

  test('is forgotten when too many came after it', () => withHouse(async ({ server }) => {
    const begin = () => outcome(proveStages(server, { auth: { type: 'one' } }, TERMS))
    const session = sessionOf(await begin())
    const again = () => outcome(proveStages(server, { auth: { session } }, TERMS))
    for (let index = 1; index < UIA_SESSION_LIMIT; index++) await begin()
    expect(await again()).toMatchObject({ completed: ['one'] })
    await begin()
    expect(await again()).not.toHaveProperty('completed')
  }))
})

describe('proveIdentity', () => {
  const PASSWORD = 'sesame'
  const hash = hashPassword(PASSWORD, null)
  const prepared = async ({ server, alice }: House) => {
    await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: await hash }, 'test')
    const requester = { userId: alice.userId, deviceId: deviceIdOf('PHONE'), isGuest: false, isAdmin: false, isSuspended: false }
    const request = new Request('http://a.example/_matrix/client/v3/delete_devices', { method: 'POST' })
    return (auth: JsonObject | undefined, options?: { mayReuse: boolean }) =>
      outcome(proveIdentity(server, { request, requester, body: auth === undefined ? {} : { auth }, cause: 'test' }, options))
  }
  const byPassword = (user: string, password = PASSWORD): JsonObject =>
    ({ type: 'm.login.password', identifier: { type: 'm.id.user', user }, password })

  test.each([
    ['the whole user id', byPassword('@alice:a.example')],
    ['the name alone', byPassword('alice')],
    ['the name as old clients send it', { type: 'm.login.password', user: 'alice', password: PASSWORD }],
  ])('takes the password with %s', (_says, auth) => withHouse(async (opened) => {
    const prove = await prepared(opened)
    expect(await prove(auth)).toBe('done')
  }))

  test('asks for the password, and again when it is wrong', () => withHouse(async (opened) => {
    const prove = await prepared(opened)
    expect(await prove(undefined)).toMatchObject({ status: 401, flows: [{ stages: ['m.login.password'] }], params: {} })
    expect(await prove(byPassword('alice', 'wrong'))).toMatchObject({ status: 401, errcode: 'M_FORBIDDEN', completed: [] })
    expect(await prove({ type: 'm.login.password' })).toMatchObject({ status: 401, errcode: 'M_MISSING_PARAM' })
  }))

  test('takes no password at all of an account that has none', () => withHouse(async ({ server, alice }) => {
    const requester = { userId: alice.userId, deviceId: deviceIdOf('PHONE'), isGuest: false, isAdmin: false, isSuspended: false }
    const request = new Request('http://a.example/_matrix/client/v3/delete_devices', { method: 'POST' })
    for (const password of ['', 'null', 'undefined', PASSWORD])
      expect(await outcome(proveIdentity(server, { request, requester, body: { auth: byPassword('alice', password) }, cause: 'test' })))
        .toMatchObject({ status: 401, errcode: 'M_FORBIDDEN', completed: [] })
  }))

  test('takes nobody’s password but the requester’s', () => withHouse(async (opened) => {
    const prove = await prepared(opened)
    await opened.server.user('@bob:a.example').ask({ kind: 'setPassword', passwordHash: await hash }, 'test')
    expect(await prove(byPassword('bob'))).toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' })
  }))

  test('a proof counts for ui_auth.session_timeout, except where it must be fresh', async () => {
    const clock = manualClock()
    await withHouse(async (opened) => {
      const prove = await prepared(opened)
      expect(await prove(byPassword('alice'))).toBe('done')
      expect(await prove(undefined)).toBe('done')
      expect(await prove(undefined, { mayReuse: false })).toMatchObject({ status: 401 })
      clock.advance(15_000)
      expect(await prove(undefined)).toMatchObject({ status: 401 })
    }, [{ ui_auth: { session_timeout: '15s' } }, { clock }])
  })

  test('a login is such a proof', async () => {
    const clock = manualClock()
    await withHouse(async (opened) => {
      const prove = await prepared(opened)
      const { userId, deviceId } = opened.alice
      await logIn(opened.server, { userId, deviceId, request: new Request('http://a.example/'), cause: 'test' })
      expect(await prove(undefined)).toBe('done')
      expect(await prove(undefined, { mayReuse: false })).toMatchObject({ status: 401 })
      clock.advance(15_000)
      expect(await prove(undefined)).toMatchObject({ status: 401 })
    }, [{ ui_auth: { session_timeout: '15s' } }, { clock }])
  })
})
