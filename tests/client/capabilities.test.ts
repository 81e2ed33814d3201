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
    'm.account_moderation': { suspend: false, lock: false },
    'uk.timedout.msc4323': { suspend: false, lock: false },
    'm.forget_forced_upon_leave': { enabled: false },
    'org.matrix.msc4267.forget_forced_upon_leave': { enabled: false },
    'm.get_login_token': { enabled: false },
    'org.matrix.msc3720.account_status': { enabled: true },
    'org.matrix.msc4140.delayed_events': { max_delay_ms: 86_400_000, max_scheduled: 100 },
    'io.element.msc4452.preview_url': { enabled: false },
    'm.profile_fields': { enabled: true },
    'uk.tcpip.msc4133.profile_fields': { enabled: true },
  })
})

test('capabilities follow the configuration', async () => {
  expect(await capabilitiesIn({
    default_room_version: '10', enable_set_avatar_url: false, password_config: { localdb_enabled: false },
    forget_rooms_on_leave: true, login_via_existing_session: { enabled: true }, max_event_delay_duration: '1h',
  })).toMatchObject({
    'm.change_password': { enabled: false },
    'm.forget_forced_upon_leave': { enabled: true },
    'm.get_login_token': { enabled: true },
    'm.room_versions': { default: '10' },
    'org.matrix.msc4140.delayed_events': { max_delay_ms: 3_600_000, max_scheduled: 100 },
    'm.set_avatar_url': { enabled: false },
    'm.profile_fields': { enabled: true, disallowed: ['avatar_url'] },
  })
})

test('K-04: admins may moderate accounts, by the name that the schema has', async () => {
  const { register, close } = await house()
  const root = await register('root', { isAdmin: true })
  const { body } = await root.answer('GET', '/v3/capabilities')
  expect(body.capabilities).toMatchObject({ 'm.account_moderation': { suspend: true, lock: true } })
  await close()
})

test('capabilities want a token', async () => {
  const { stranger, close } = await house()
  expect(await stranger.answer('GET', '/v3/capabilities')).toMatchObject({ status: 401, body: { errcode: 'M_MISSING_TOKEN' } })
  await close()
})
