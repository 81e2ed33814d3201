import { describe, expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { checkNewPassword, hashNewPassword, identifiedUser, provePassword } from '#http/passwords.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { findPasswordHash } from '#store/users.ts'

const codeOf = async (work: () => unknown): Promise<string | undefined> => {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof MatrixError) return error.errcode
    throw error
  }
}

describe('provePassword', () => {
  test('knows the right password from the wrong one', async () => {
    const { server, alice, bob, close } = await house()
    await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: await hashNewPassword(server, 'sesame') }, 'test')
    const prove = (userId: typeof alice.userId | undefined, password: string) => codeOf(() => provePassword(server, userId, password, 'test'))
    expect(await prove(alice.userId, 'sesame')).toBeUndefined()
    expect(await prove(alice.userId, 'wrong')).toBe('M_FORBIDDEN')
    expect(await prove(bob.userId, '')).toBe('M_FORBIDDEN')
    expect(await prove('@nobody:a.example', 'sesame')).toBe('M_FORBIDDEN')
    expect(await prove(undefined, 'sesame')).toBe('M_FORBIDDEN')
    await server.user(alice.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
    expect(await prove(alice.userId, 'sesame')).toBe('M_USER_DEACTIVATED')
    await close()
  })

  test('stops listening after too many wrong ones, even to the right one', async () => {
    const { server, alice, close } = await house({ rc_login: { failed_attempts: { per_second: 0.01, burst_count: 2 } } })
    await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: await hashNewPassword(server, 'sesame') }, 'test')
    const codes = []
    for (const password of ['wrong', 'wrong', 'sesame']) codes.push(await codeOf(() => provePassword(server, alice.userId, password, 'test')))
    expect(codes).toEqual(['M_FORBIDDEN', 'M_FORBIDDEN', 'M_LIMIT_EXCEEDED'])
    await close()
  })

  test('D35: a hash of the reference server is replaced at the first login', async () => {
    const { server, alice, close } = await house()
    const bcrypt = await Bun.password.hash('sesame', { algorithm: 'bcrypt', cost: 4 })
    await server.user(alice.userId).ask({ kind: 'setPassword', passwordHash: bcrypt }, 'test')
    await provePassword(server, alice.userId, 'sesame', 'test')
    await server.settled()
    expect(findPasswordHash(server.store, alice.userId)).toStartWith('$argon2id$')
    await close()
  })
})

describe('identifiedUser', () => {
  const user = (name: unknown) => ({ identifier: { type: 'm.id.user', user: name } })

  test.each([
    ['a whole user id', user('@alice:a.example'), '@alice:a.example'],
    ['a name', user('alice'), '@alice:a.example'],
    ['G-77: a name in capitals', user('ALICE'), '@alice:a.example'],
    ['a name as old clients send it', { user: 'alice' }, '@alice:a.example'],
    ['a user of another server', user('@alice:b.example'), undefined],
    ['a mail address', { identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'a@b.example' } }, undefined],
    ['a mail address as old clients send it', { medium: 'email', address: 'a@b.example' }, undefined],
    ['a telephone number', { identifier: { type: 'm.id.phone' } }, undefined],
  ])('%s', async (_says, identified, userId) => {
    const { server, close } = await house()
    expect(identifiedUser(server, identified)).toBe(userId as never)
    await close()
  })

  test.each([
    ['nobody', {}, 'M_MISSING_PARAM'],
    ['a user without a name', user(undefined), 'M_MISSING_PARAM'],
    ['an unknown kind of identifier', { identifier: { type: 'm.id.face' } }, 'M_UNKNOWN'],
  ])('refuses %s', async (_says, identified, code) => {
    const { server, close } = await house()
    expect(await codeOf(() => identifiedUser(server, identified))).toBe(code)
    await close()
  })
})

describe('checkNewPassword', () => {
  const policy = {
    enabled: true, minimum_length: 8, require_digit: true, require_symbol: true, require_lowercase: true, require_uppercase: true,
  }

  test.each([
    ['a good one', 'Sesame-8', undefined],
    ['too short', 'Sesa-8', 'M_WEAK_PASSWORD'],
    ['without a digit', 'Sesame--', 'M_WEAK_PASSWORD'],
    ['without a symbol', 'Sesame88', 'M_WEAK_PASSWORD'],
    ['without capitals', 'sesame-8', 'M_WEAK_PASSWORD'],
    ['without small letters', 'SESAME-8', 'M_WEAK_PASSWORD'],
  ])('password_config.policy: %s', async (_says, password, code) => {
    const { server, close } = await house({ password_config: { policy } })
    expect(await codeOf(() => checkNewPassword(server, password))).toBe(code)
    await close()
  })

  test('without a policy anything but nothing will do', async () => {
    const { server, close } = await house()
    expect(await codeOf(() => checkNewPassword(server, 'x'))).toBeUndefined()
    expect(await codeOf(() => checkNewPassword(server, ''))).toBe('M_WEAK_PASSWORD')
    expect(await codeOf(() => checkNewPassword(server, 'x'.repeat(513)))).toBe('M_WEAK_PASSWORD')
    await close()
  })
})
