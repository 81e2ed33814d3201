import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { STATUS_LIMIT } from '#schema/client/account-status.ts'

const PATH = '/unstable/org.matrix.msc3720/account_status'

test('the status says of accounts here whether they exist and are in use', async () => {
  const { server, alice, bob } = await house()
  await server.user(bob.userId).ask({ kind: 'deactivateUser', isErased: false }, 'test')
  expect(await alice.answer('POST', PATH, { user_ids: [alice.userId, bob.userId, '@nobody:a.example', '@charlie:b.example'] })).toEqual({
    status: 200,
    body: {
      account_statuses: {
        [alice.userId]: { exists: true, deactivated: false },
        [bob.userId]: { exists: true, deactivated: true },
        '@nobody:a.example': { exists: false },
      },
      failures: ['@charlie:b.example'],
    },
  })
})

test.each([
  ['no list', {}, 'M_MISSING_PARAM'],
  ['what is no user id', { user_ids: ['alice'] }, 'M_INVALID_PARAM'],
  ['too many', { user_ids: Array.from({ length: STATUS_LIMIT + 1 }, (_, index) => `@u${index}:a.example`) }, 'M_BAD_JSON'],
])('a request for %s is refused', async (_says, body, errcode) => {
  const { alice } = await house()
  expect(await alice.answer('POST', PATH, body)).toMatchObject({ status: 400, body: { errcode } })
})
