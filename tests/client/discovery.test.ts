import { describe, expect, test } from 'bun:test'
import { type Answer, house } from '#harness/house.ts'

const ask = async (path: string, overrides: Record<string, unknown> = {}): Promise<Answer> => {
  const { stranger, close } = await house(overrides)
  const answer = await stranger.answer('GET', path)
  await close()
  return answer
}

describe('versions', () => {
  test('D6: old and new ones are listed, without a token', async () => {
    const { status, body } = await ask('/versions')
    expect(status).toBe(200)
    expect(body.versions).toEqual([
      'r0.0.1', 'r0.1.0', 'r0.2.0', 'r0.3.0', 'r0.4.0', 'r0.5.0', 'r0.6.0', 'r0.6.1',
      ...Array.from({ length: 19 }, (_, minor) => `v1.${minor + 1}`),
    ])
  })

  test('names what is served of proposals', async () => {
    const features = (await ask('/versions')).body.unstable_features as Record<string, boolean>
    expect(Object.keys(features).filter((name) => features[name]).toSorted()).toEqual([
      'com.beeper.msc4169', 'com.beeper.msc4446', 'fi.mau.msc2815', 'org.matrix.e2e_cross_signing', 'org.matrix.msc2285.stable',
      'org.matrix.msc2432', 'org.matrix.msc3026.busy_presence', 'org.matrix.msc3030', 'org.matrix.msc3391', 'org.matrix.msc3440.stable', 'org.matrix.msc3771',
      'org.matrix.msc3773', 'org.matrix.msc3827.stable', 'org.matrix.msc3856', 'org.matrix.msc3874', 'org.matrix.msc3881',
      'org.matrix.msc3912', 'org.matrix.msc3981', 'org.matrix.msc4140', 'org.matrix.msc4140.stable', 'org.matrix.msc4143',
      'org.matrix.msc4155', 'org.matrix.msc4262', 'org.matrix.msc4306', 'org.matrix.msc4354', 'org.matrix.msc4380.stable', 'org.matrix.msc4508',
      'org.matrix.msc4508.stable', 'org.matrix.msc4538', 'org.matrix.msc4538.stable', 'org.matrix.msc4543',
      'org.matrix.msc4543.stable', 'org.matrix.simplified_msc3575', 'uk.half-shot.msc2666.query_mutual_rooms',
      'uk.half-shot.msc2666.query_mutual_rooms.stable', 'uk.tcpip.msc4133', 'uk.tcpip.msc4133.stable', 'uk.timedout.msc4323',
      'uk.timedout.msc4323.stable',
    ])
  })

  test('what the admin has turned off is not offered', async () => {
    const on = await ask('/versions', { login_via_existing_session: { enabled: true } })
    expect(on.body.unstable_features).toMatchObject({ 'org.matrix.msc3882': true, 'org.matrix.msc4140': true })
    const off = await ask('/versions', { max_event_delay_duration: null, presence: { enabled: false } })
    expect(off.body.unstable_features).toMatchObject({
      'org.matrix.msc3026.busy_presence': false, 'org.matrix.msc3882': false, 'org.matrix.msc4140': false,
    })
  })

  test('an answer is for the one who asks', async () => {
    const { alice, close } = await house()
    const response = await alice('GET', '/versions')
    expect([response.headers.get('vary'), response.headers.get('cache-control')]).toEqual(['Authorization', 'private'])
    await close()
  })

  test('Element is told which rooms are encrypted', async () => {
    const { body } = await ask('/versions', { encryption_enabled_by_default_for_room_type: 'invite' })
    expect(body.unstable_features).toMatchObject({
      'io.element.e2ee_forced.public': false, 'io.element.e2ee_forced.private': true, 'io.element.e2ee_forced.trusted_private': true,
    })
  })
})

describe('.well-known/matrix/client', () => {
  const path = '/_/../.well-known/matrix/client'

  test('names the address, without a slash at its end', async () => {
    expect(await ask(path)).toEqual({ status: 200, body: { 'm.homeserver': { base_url: 'https://a.example' } } })
  })

  test('names what else the admin wants', async () => {
    expect((await ask(path, {
      public_baseurl: 'https://matrix.a.example/', default_identity_server: 'https://id.example',
      extra_well_known_client_content: { 'org.example.map': { style: 'x' }, 'm.homeserver': { base_url: 'https://mallory.example' } },
    })).body).toEqual({
      'm.homeserver': { base_url: 'https://matrix.a.example' },
      'm.identity_server': { base_url: 'https://id.example' },
      'org.example.map': { style: 'x' },
    })
  })
})

describe('.well-known/matrix/support', () => {
  const path = '/_/../.well-known/matrix/support'

  test.each([
    ['a mail address', 'mailto:root@a.example', { contacts: [{ email_address: 'root@a.example', role: 'm.role.admin' }] }],
    ['a user', 'https://matrix.to/#/@root:b.example', { contacts: [{ matrix_id: '@root:b.example', role: 'm.role.admin' }] }],
    ['a page', 'https://a.example/help', { support_page: 'https://a.example/help' }],
  ])('names %s', async (_says, contact, body) => {
    expect(await ask(path, { admin_contact: contact })).toEqual({ status: 200, body })
  })

  test('is not there when nobody is named', async () => {
    expect(await ask(path)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
  })
})

test('.well-known/matrix/policy_server is not there', async () => {
  expect(await ask('/_/../.well-known/matrix/policy_server')).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } })
})

describe('.well-known/matrix/server', () => {
  const path = '/_/../.well-known/matrix/server'

  test('is there only where it is asked for', async () => {
    expect(await ask(path)).toMatchObject({ status: 404 })
    expect(await ask(path, { serve_server_wellknown: true, public_baseurl: 'https://matrix.a.example:8443/' })).toEqual({
      status: 200, body: { 'm.server': 'a.example:443' },
    })
  })
})
