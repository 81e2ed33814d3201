import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

const capabilitiesIn = async (overrides: Record<string, unknown>): Promise<unknown> => {
  const { alice, close } = await house(overrides)
  const { body } = await alice.answer('GET', '/v3/capabilities')
  await close()
  return body.capabilities
}

test('capabilities name the room versions and what may be changed', async () => {
  expect(await capabilitiesIn({})).toEqual({
    'm.change_password': { enabled: true },
    'm.room_versions': {
      default: '12',
      available: Object.fromEntries(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'].map((version) => [version, 'stable'])),
    },
    'm.set_displayname': { enabled: true },
    'm.set_avatar_url': { enabled: true },
    'm.3pid_changes': { enabled: false },
    'm.get_login_token': { enabled: false },
    'm.profile_fields': { enabled: true },
    'uk.tcpip.msc4133.profile_fields': { enabled: true },
  })
})

test('capabilities follow the configuration', async () => {
  expect(await capabilitiesIn({
    default_room_version: '10', enable_set_avatar_url: false, password_config: { localdb_enabled: false },
  })).toMatchObject({
    'm.change_password': { enabled: false },
    'm.room_versions': { default: '10' },
    'm.set_avatar_url': { enabled: false },
    'm.profile_fields': { enabled: true, disallowed: ['avatar_url'] },
  })
})

test('capabilities want a token', async () => {
  const { stranger, close } = await house()
  expect(await stranger.answer('GET', '/v3/capabilities')).toMatchObject({ status: 401, body: { errcode: 'M_MISSING_TOKEN' } })
  await close()
})
