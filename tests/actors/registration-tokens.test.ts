import { describe, expect, test } from 'bun:test'
import { after } from '#actors/effects.ts'
import { CLAIM_LIMIT, CLAIM_MS, decide } from '#actors/registration/registration-tokens.ts'
import { registration } from '#actors/registration/registration.ts'
import { given, NOW } from '#harness/given.ts'

const empty = given(registration, 'registration')
const create = { kind: 'createRegistrationToken', token: 'secret', usesAllowed: 1, expiresTs: null } as const
const one = empty.and(create)
const claim = (session: string, token = 'secret') => ({ kind: 'claimRegistrationToken', token, session }) as const

describe('tokens', () => {
  test('are made, changed and deleted', () => {
    expect(one.facts).toEqual([{ kind: 'registrationTokenSet', token: 'secret', usesAllowed: 1, expiresTs: null }])
    expect(one.when({ kind: 'updateRegistrationToken', token: 'secret', expiresTs: 5 }).facts).toEqual([
      { kind: 'registrationTokenSet', token: 'secret', usesAllowed: 1, expiresTs: 5 },
    ])
    expect(one.and({ kind: 'deleteRegistrationToken', token: 'secret' }).memory).toEqual(empty.memory)
  })

  test.each([16, 64])('are made up with %d characters', (length) => {
    const { reply } = empty.when({ ...create, token: null, length })
    expect((reply as { token: string }).token).toMatch(new RegExp(`^[A-Za-z0-9_-]{${length}}$`))
  })

  test.each([
    ['one that is there', one, create, 'M_INVALID_PARAM'],
    ['one outside the grammar', empty, { ...create, token: 'no spaces' }, 'M_INVALID_PARAM'],
    ['a change of one that is not there', empty, { kind: 'updateRegistrationToken', token: 'secret' }, 'M_NOT_FOUND'],
    ['the end of one that is not there', empty, { kind: 'deleteRegistrationToken', token: 'secret' }, 'M_NOT_FOUND'],
  ] as const)('refuses %s', (_says, history, command, refused) => {
    expect(history.when(command)).toMatchObject({ refused, facts: [] })
  })
})

describe('a sign-up', () => {
  test('keeps one use for itself, without a trace on disk', () => {
    expect(one.when(claim('s1'))).toEqual({
      facts: [],
      notes: [{ kind: 'registrationTokenClaimed', token: 'secret', session: 's1', until: NOW + CLAIM_MS }],
      effects: [after(CLAIM_MS, { kind: 'dropRegistrationClaim', session: 's1', until: NOW + CLAIM_MS } as never)],
      reply: true,
    })
  })

  test('keeps it from others, until it is given up', () => {
    const claimed = one.and(claim('s1'))
    expect(claimed.when(claim('s2'))).toMatchObject({ notes: [], reply: false })
    expect(claimed.when(claim('s1'))).toMatchObject({ notes: [], reply: true })
    const dropped = claimed.and({ kind: 'dropRegistrationClaim', session: 's1', until: NOW + CLAIM_MS })
    expect(dropped.when(claim('s2')).reply).toBe(true)
  })

  test('spends the use when the account is made', () => {
    const spend = { kind: 'spendRegistrationToken', session: 's1' } as const
    const spent = one.and(claim('s1')).and(spend)
    expect(spent.facts.filter(({ kind }) => kind === 'registrationTokenSpent')).toEqual([{ kind: 'registrationTokenSpent', token: 'secret' }])
    expect(spent.when(claim('s2')).reply).toBe(false)
    expect(spent.when(spend).facts).toEqual([])
  })

  test.each([
    ['an unknown token', 'other', NOW, false],
    ['a token before its end', 'brief', NOW + 9, true],
    ['a token after its end', 'brief', NOW + 10, false],
    ['a token for any number of uses', 'open', NOW, true],
  ] as const)('with %s', (_says, token, now, isGood) => {
    const tokens = empty
      .and({ ...create, token: 'brief', expiresTs: NOW + 10 })
      .and({ ...create, token: 'open', usesAllowed: null })
    expect(tokens.when(claim('s1', token), now).reply).toBe(isGood)
  })

  test('is turned away when too many are under way', () => {
    const { memory } = empty.and(create)
    for (let index = 0; index < CLAIM_LIMIT; index++) memory.claims.set(`${index}`, { token: 'other', until: NOW })
    const decision = decide.claimRegistrationToken(memory, claim('s1'), { now: NOW } as never)
    expect(decision).toMatchObject({ refuse: { errcode: 'M_LIMIT_EXCEEDED' } })
  })
})

test('the actor rests only while nobody signs up, and a snapshot gives its memory back', () => {
  expect(registration.mayRest?.(one.memory)).toBe(true)
  expect(registration.mayRest?.(one.and(claim('s1')).memory)).toBe(false)
  const frozen = JSON.parse(JSON.stringify(registration.snapshot.freeze(one.memory))) as never
  expect(registration.snapshot.thaw(frozen, 'registration')).toEqual(one.memory)
})
