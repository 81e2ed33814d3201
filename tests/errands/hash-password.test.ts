import { describe, expect, test } from 'bun:test'
import { checkPassword, HASHES_AT_ONCE, HASHES_WAITING, hashPassword, PASSWORD_LIMIT } from '#errands/hash-password.ts'

const OURS = await hashPassword('sécret', null)

test('hashes are argon2id with 19 MiB and two passes', () => {
  expect(OURS).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
})

describe('checkPassword', () => {
  test.each([
    ['the right password', 'sécret', true],
    ['the same password in another Unicode form', 'sécret'.normalize('NFD'), true],
    ['another password', 'secret', false],
    ['no password', '', false],
    ['a password that is too long', 'x'.repeat(PASSWORD_LIMIT + 1), false],
  ])('%s', async (_says, password, isRight) => {
    expect(await checkPassword(password, OURS, null)).toEqual({ isRight, rehashed: null })
  })

  test('D35: a bcrypt hash of the reference server is accepted, with pepper, and hashed anew', async () => {
    const password = 'p'.repeat(70)
    const bcrypt = await Bun.password.hash(Buffer.from(`${password}pepper`).subarray(0, 72), { algorithm: 'bcrypt', cost: 4 })
    const { isRight, rehashed } = await checkPassword(password, bcrypt, 'pepper')
    expect(isRight).toBe(true)
    expect(rehashed).toStartWith('$argon2id$')
    expect(await checkPassword(password, rehashed ?? '', 'pepper')).toEqual({ isRight: true, rehashed: null })
    expect(await checkPassword('wrong', bcrypt, 'pepper')).toEqual({ isRight: false, rehashed: null })
  })

  test('a hash that was made with other costs is made anew', async () => {
    const weak = await Bun.password.hash('secret', { algorithm: 'argon2id', memoryCost: 1_024, timeCost: 1 })
    expect((await checkPassword('secret', weak, null)).rehashed).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
  })

  test.each([['no hash at all'], ['$2b$12$short'], ['$argon2id$v=19$m=19456,t=2,p=1$??$??']])('a broken hash is a wrong password: %s', async (hash) => {
    expect(await checkPassword('secret', hash, null)).toEqual({ isRight: false, rehashed: null })
  })

  test('more than may wait are told to come again', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: HASHES_AT_ONCE + HASHES_WAITING + 1 }, () => checkPassword('', OURS, null)),
    )
    expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { errcode: 'M_LIMIT_EXCEEDED', status: 429 } }])
    expect((await checkPassword('sécret', OURS, null)).isRight).toBe(true)
  })
})
