import { describe, expect, test } from 'bun:test'
import { house, type Caller } from '#harness/house.ts'
import { done } from '#harness/rooms.ts'

type Rule = { rule_id: string; default: boolean; enabled: boolean; actions: unknown[]; pattern?: string }
type Rules = Record<string, Rule[]>

const at = (kind: string, ruleId: string, rest = ''): string => `/v3/pushrules/global/${kind}/${encodeURIComponent(ruleId)}${rest}`
const rulesOf = async (caller: Caller): Promise<Rules> => (await done(caller, 'GET', '/v3/pushrules/')).global as Rules
const own = (rules: Rule[] | undefined): string[] => (rules ?? []).filter((rule) => !rule.default).map(({ rule_id }) => rule_id)
const notify = { actions: ['notify'] }

describe('push rules', () => {
  test('start with the default ones', async () => {
    const { alice } = await house()
    const { override, underride, content, room, sender } = await rulesOf(alice)
    expect(override?.slice(0, 3).map(({ rule_id, enabled }) => [rule_id, enabled])).toEqual([
      ['.m.rule.master', false],
      ['.m.rule.suppress_notices', true],
      ['.m.rule.invite_for_me', true],
    ])
    expect(underride?.map(({ rule_id }) => rule_id)).toContain('.m.rule.message')
    expect([content, room, sender]).toEqual([[], [], []])
    expect(await done(alice, 'GET', '/v3/pushrules/global/')).toEqual(await rulesOf(alice))
    expect(await (await alice('GET', '/v3/pushrules/global/underride/')).json()).toEqual(underride)
  })

  test.each([
    ['room', '!den:a.example', {}],
    ['sender', '@bob:a.example', {}],
    ['content', 'тест', { pattern: 'тест' }],
    ['override', 'my rule', { conditions: [{ kind: 'event_match', key: 'content.msgtype', pattern: 'm.notice' }] }],
    ['underride', 'my.rule', { conditions: [] }],
  ] as const)('of kind %s are added, read, switched, changed and deleted', async (kind, ruleId, more) => {
    const { alice } = await house()
    expect(await done(alice, 'PUT', at(kind, ruleId), { ...notify, ...more })).toEqual({})
    expect(await done(alice, 'GET', at(kind, ruleId))).toEqual({ rule_id: ruleId, default: false, enabled: true, ...notify, ...more })
    await done(alice, 'PUT', at(kind, ruleId, '/enabled'), { enabled: false })
    expect(await done(alice, 'GET', at(kind, ruleId, '/enabled'))).toEqual({ enabled: false })
    await done(alice, 'PUT', at(kind, ruleId, '/actions'), { actions: [] })
    expect(await done(alice, 'GET', at(kind, ruleId, '/actions'))).toEqual({ actions: [] })
    expect(await done(alice, 'DELETE', at(kind, ruleId))).toEqual({})
    expect(await alice.answer('GET', at(kind, ruleId))).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  })

  test('stand before older ones, or where they are told to', async () => {
    const { alice } = await house()
    for (const [id, place] of [['a', ''], ['b', ''], ['c', '?before=a'], ['d', '?after=b']]) await done(alice, 'PUT', at('room', `!${id}`) + place?.replace('=', '=!'), notify)
    expect(own((await rulesOf(alice)).room)).toEqual(['!b', '!d', '!c', '!a'])
  })

  test('are the same after a restart of the account', async () => {
    const { alice, server } = await house()
    await done(alice, 'PUT', at('content', 'cheese'), { ...notify, pattern: 'cheese' })
    server.system.rest({ kind: 'user', id: alice.userId } as never)
    await done(alice, 'PUT', at('content', 'wine'), { ...notify, pattern: 'wine' })
    expect(own((await rulesOf(alice)).content)).toEqual(['wine', 'cheese'])
  })

  test.each([
    ['a default rule deleted', 'DELETE', at('override', '.m.rule.master'), undefined, 404, 'M_NOT_FOUND'],
    ['a rule that is not there', 'GET', at('room', '!none'), undefined, 404, 'M_NOT_FOUND'],
    ['a default rule that is not there switched', 'PUT', at('override', '.not.there', '/enabled'), { enabled: true }, 404, 'M_NOT_FOUND'],
    ['a rule that is not there changed', 'PUT', at('room', '!none', '/actions'), notify, 404, 'M_NOT_FOUND'],
    ['a name that begins with a dot', 'PUT', at('room', '.mine'), notify, 400, 'M_INVALID_PARAM'],
    ['a name with a slash', 'PUT', at('room', 'a/b'), notify, 400, 'M_INVALID_PARAM'],
    ['a kind that is none', 'PUT', at('postcontent', 'mine'), notify, 400, 'M_INVALID_PARAM'],
    ['all of a kind that is none', 'GET', '/v3/pushrules/global/mine/', undefined, 400, 'M_INVALID_PARAM'],
    ['a rule without actions', 'PUT', at('room', '!den'), {}, 400, 'M_MISSING_PARAM'],
    ['a word in place of a switch', 'PUT', at('override', '.m.rule.master', '/enabled'), { enabled: 'yes' }, 400, 'M_BAD_JSON'],
    ['a place next to nothing', 'PUT', `${at('room', '!den')}?before=!none`, notify, 400, 'M_UNKNOWN'],
    ['a stranger', 'GET', '/v3/pushrules/', undefined, 401, 'M_MISSING_TOKEN'],
    ['a rule of another scope', 'PUT', '/v3/pushrules/device/room/x', notify, 400, 'M_UNRECOGNIZED'],
    ['rules of another scope', 'GET', '/v3/pushrules/device/', undefined, 400, 'M_UNRECOGNIZED'],
    ['a rule without a scope', 'PUT', '/v3/pushrules/', notify, 400, 'M_UNRECOGNIZED'],
    ['a rule without a kind', 'PUT', '/v3/pushrules/global', notify, 400, 'M_UNRECOGNIZED'],
    ['a rule without a name', 'PUT', '/v3/pushrules/global/room', notify, 400, 'M_UNRECOGNIZED'],
    ['a rule with an empty name', 'PUT', '/v3/pushrules/global/room/', notify, 400, 'M_UNRECOGNIZED'],
    ['a scope without a slash', 'GET', '/v3/pushrules/global', undefined, 400, 'M_UNRECOGNIZED'],
    ['a kind without a slash', 'GET', '/v3/pushrules/global/room', undefined, 400, 'M_UNRECOGNIZED'],
    ['an attribute that rules do not have', 'GET', at('override', '.m.rule.master', '/colour'), undefined, 400, 'M_UNRECOGNIZED'],
    ['such an attribute changed', 'PUT', at('override', '.m.rule.master', '/colour'), { colour: 1 }, 400, 'M_UNRECOGNIZED'],
    ['a rule without a name deleted', 'DELETE', '/v3/pushrules/global/room', undefined, 400, 'M_UNRECOGNIZED'],
    ['the path without its last slash', 'GET', '/v3/pushrules', undefined, 404, 'M_UNRECOGNIZED'],
    ['a method that does nothing here', 'POST', '/v3/pushrules/device/', {}, 405, 'M_UNRECOGNIZED'],
  ] as const)('refuse %s', async (says, method, path, body, status, errcode) => {
    const { alice, stranger } = await house()
    const caller = says === 'a stranger' ? stranger : alice
    expect(await caller.answer(method, path, body)).toMatchObject({ status, body: { errcode } })
  })
})

describe('the account data m.push_rules', () => {
  const pushRules = (body: Record<string, unknown>): unknown[] =>
    ((body.account_data as { events: { type: string; content: unknown }[] } | undefined)?.events ?? []).filter(({ type }) => type === 'm.push_rules')

  test('are in the first sync and again when they change', async () => {
    const { alice, bob } = await house()
    const first = await done(alice, 'GET', '/v3/sync')
    expect(pushRules(first)).toEqual([{ type: 'm.push_rules', content: { global: await rulesOf(alice) } }])
    const quiet = await done(alice, 'GET', `/v3/sync?since=${String(first.next_batch)}`)
    expect(pushRules(quiet)).toEqual([])
    await done(bob, 'PUT', at('room', '!den'), notify)
    await done(alice, 'PUT', at('room', '!den'), notify)
    const next = await done(alice, 'GET', `/v3/sync?since=${String(quiet.next_batch)}`)
    expect(pushRules(next)).toEqual([{ type: 'm.push_rules', content: { global: await rulesOf(alice) } }])
    expect(pushRules(await done(alice, 'GET', `/v3/sync?since=${String(next.next_batch)}`))).toEqual([])
  })

  test('are read as account data and not written as such', async () => {
    const { alice } = await house()
    const path = `/v3/user/${alice.userId}/account_data/m.push_rules`
    expect(await done(alice, 'GET', path)).toEqual({ global: await rulesOf(alice) })
    expect(await alice.answer('PUT', path, {})).toMatchObject({ status: 405, body: { errcode: 'M_BAD_JSON' } })
  })
})
