import { describe, expect, test } from 'bun:test'
import { ALICE, BOB, den, eventsOf, join, MALLORY } from './den.ts'

const member = (sender: string, stateKey: string, content: object) => [{ type: 'm.room.member', sender, stateKey, content }]
const closed = () => den({ joinRules: { join_rule: 'invite' } })

describe('joinRoomById', () => {
  test('appends the member event with profile and reason, and rings the newcomer', () => {
    const { facts, effects } = den().when({ kind: 'joinRoomById', userId: BOB, profile: { displayname: 'Bob' }, reason: 'hi', extra: { x: 1 } })
    expect(eventsOf(facts)).toEqual(member(BOB, BOB, { membership: 'join', displayname: 'Bob', x: 1, reason: 'hi' }) as never)
    expect(effects.at(-1)).toEqual({ kind: 'ring', users: [BOB], about: 'membership' })
  })

  test('G-74: says nothing when there is nothing new to say', () => {
    const before = den().and(join(BOB))
    const first = before.facts.at(-1)
    expect(before.when(join(BOB))).toMatchObject({ facts: [], effects: [], reply: { eventId: first?.kind === 'eventAppended' && first.eventId } })
  })

  test('G-74: nor when only the voucher of a restricted join would differ', () => {
    const restricted = den({ joinRules: { join_rule: 'restricted', allow: [] } }).and({ ...join(BOB), isVouchedFor: true })
    expect(eventsOf(restricted.facts as never).at(-1)?.content).toEqual({ membership: 'join', join_authorised_via_users_server: ALICE })
    expect(restricted.when(join(BOB)).facts).toEqual([])
    expect(restricted.when({ ...join(BOB), profile: { displayname: 'Bob' } }).facts).toHaveLength(1)
  })

  test('is refused without an invite, without a voucher, by the banned, and into nothing', () => {
    expect(closed().when(join(BOB))).toMatchObject({ refused: 'M_FORBIDDEN' })
    expect(den({ joinRules: { join_rule: 'restricted', allow: [] } }).when(join(BOB))).toMatchObject({ refused: 'M_FORBIDDEN' })
    expect(den().and({ kind: 'ban', userId: ALICE, targetId: BOB }).when(join(BOB))).toMatchObject({ refused: 'M_FORBIDDEN' })
  })
})

describe('inviteUser', () => {
  test('lets the invited in, and counts them until they are', () => {
    const invited = closed().and({ kind: 'inviteUser', userId: ALICE, targetId: BOB, profile: {}, isDirect: true, reason: 'tea' })
    expect(eventsOf(invited.facts as never).at(-1)).toEqual(member(ALICE, BOB, { membership: 'invite', is_direct: true, reason: 'tea' })[0] as never)
    expect(invited.memory).toMatchObject({ joined: 1, invited: 1 })
    expect(invited.and(join(BOB)).memory).toMatchObject({ joined: 2, invited: 0 })
  })

  test('is refused for members, for the banned and from outside', () => {
    const invite = (userId: typeof ALICE | typeof MALLORY) => ({ kind: 'inviteUser', userId, targetId: BOB, profile: {} }) as const
    expect(den().and(join(BOB)).when(invite(ALICE))).toMatchObject({ refused: 'M_FORBIDDEN' })
    expect(den().and({ kind: 'ban', userId: ALICE, targetId: BOB }).when(invite(ALICE))).toMatchObject({ refused: 'M_FORBIDDEN' })
    expect(den().when(invite(MALLORY))).toMatchObject({ refused: 'M_FORBIDDEN' })
  })
})

describe('leaving and being removed', () => {
  test('leaveRoom gives a reason, ends the typing and is the same event when repeated', () => {
    const typing = den().and(join(BOB)).and({ kind: 'setTyping', userId: BOB, timeoutMs: 5_000 })
    const left = typing.and({ kind: 'leaveRoom', userId: BOB, reason: 'bye' })
    expect(eventsOf(left.facts.filter((fact) => fact.kind === 'eventAppended')).at(-1)?.content).toEqual({ membership: 'leave', reason: 'bye' })
    expect(left.memory.typing.size).toBe(0)
    expect(left.when({ kind: 'leaveRoom', userId: BOB })).toMatchObject({ facts: [] })
  })

  test('who goes while they type is not shown as typing any more', () => {
    const both = den().and(join(BOB)).and({ kind: 'setTyping', userId: ALICE, timeoutMs: 5_000 })
    const about = ({ effects }: { effects: readonly object[] }) => effects.filter((effect) => 'about' in effect && effect.about === 'typing')
    const kick = { kind: 'kick', userId: ALICE, targetId: BOB } as const
    const ring = { kind: 'ring', about: 'typing', room: both.memory.roomId, volatile: [ALICE] }
    expect(about(both.and({ kind: 'setTyping', userId: BOB, timeoutMs: 5_000 }).when(kick))).toEqual([ring])
    expect(about(both.when(kick))).toEqual([])
  })

  test.each([
    ['kick', 'leave'],
    ['ban', 'ban'],
  ] as const)('%s makes the membership %s', (kind, membership) => {
    const { facts } = den().and(join(BOB)).when({ kind, userId: ALICE, targetId: BOB, reason: 'noise' })
    expect(eventsOf(facts)).toEqual(member(ALICE, BOB, { membership, reason: 'noise' }) as never)
  })

  test('needs the power, and someone to remove', () => {
    const both = den().and(join(BOB))
    expect(both.when({ kind: 'kick', userId: BOB, targetId: ALICE })).toMatchObject({ refused: 'M_FORBIDDEN' })
    expect(both.when({ kind: 'ban', userId: BOB, targetId: ALICE })).toMatchObject({ refused: 'M_FORBIDDEN' })
    expect(both.when({ kind: 'kick', userId: ALICE, targetId: MALLORY })).toMatchObject({ refused: 'M_FORBIDDEN' })
    expect(both.when({ kind: 'unban', userId: ALICE, targetId: BOB })).toMatchObject({ refused: 'M_BAD_STATE' })
    expect(both.when({ kind: 'leaveRoom', userId: MALLORY })).toMatchObject({ refused: 'M_FORBIDDEN' })
  })
})

test.each(['inviteUser', 'kick', 'unban'] as const)('%s tells those outside nothing of who is in, or banned', (kind) => {
  const room = den().and(join(BOB))
  const ask = (before: typeof room, targetId: typeof BOB) => before.when({ kind, userId: MALLORY, targetId, profile: {} } as never)
  const answers = [ask(room, BOB), ask(den(), BOB), ask(room.and({ kind: 'ban', userId: ALICE, targetId: BOB }), BOB)]
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]).toMatchObject({ refused: 'M_FORBIDDEN', facts: [] })
})

test('the invited may kick themselves, which is how to decline too', () => {
  const invited = closed().and({ kind: 'inviteUser', userId: ALICE, targetId: BOB, profile: {} })
  expect(eventsOf(invited.when({ kind: 'kick', userId: BOB, targetId: BOB }).facts)).toEqual(member(BOB, BOB, { membership: 'leave' }) as never)
})

describe('forgetRoom', () => {
  test('is for those who have left', () => {
    const left = den().and(join(BOB)).and({ kind: 'leaveRoom', userId: BOB })
    expect(left.when({ kind: 'forgetRoom', userId: BOB }).facts).toEqual([{ kind: 'roomForgotten', roomId: left.memory.roomId, userId: BOB }])
    expect(left.when({ kind: 'forgetRoom', userId: ALICE })).toMatchObject({ refused: 'M_UNKNOWN' })
    expect(left.when({ kind: 'forgetRoom', userId: MALLORY })).toMatchObject({ refused: 'M_UNKNOWN' })
  })
})

describe('refreshMember', () => {
  test('follows the profile and keeps what else the member event says', () => {
    const joined = den().and({ ...join(BOB), profile: { displayname: 'Bob' }, extra: { x: 1 } })
    const { facts } = joined.when({ kind: 'refreshMember', userId: BOB, profile: { avatar_url: 'mxc://a.example/b' } })
    expect(eventsOf(facts)).toEqual(member(BOB, BOB, { membership: 'join', x: 1, avatar_url: 'mxc://a.example/b' }) as never)
  })

  test('leaves those alone who are not in the room', () => {
    expect(den().when({ kind: 'refreshMember', userId: BOB, profile: {} })).toMatchObject({ facts: [], reply: undefined })
  })
})

describe('setMember', () => {
  test('writes what the client wrote, once', () => {
    const wanted = { kind: 'setMember', userId: ALICE, targetId: BOB, content: { membership: 'invite', 'org.example': 1 } } as const
    const invited = closed().and(wanted)
    expect(eventsOf(invited.facts as never).at(-1)?.content).toEqual(wanted.content)
    expect(invited.when(wanted).facts).toEqual([])
  })
})
