import { describe, expect, test } from 'bun:test'
import { manualClock } from '#actors/kernel/clock.ts'
import { house } from '#harness/house.ts'

const URIS = ['turn:turn.a.example?transport=udp']

describe('TURN credentials', () => {
  test('of a shared secret are a name that ends and the proof of it', async () => {
    const clock = manualClock(1_700_000_000_000)
    const { alice } = await house({ turn_uris: URIS, turn_shared_secret: 'secret', turn_user_lifetime: '2h' }, { clock })
    const username = '1700007200:@alice:a.example'
    expect(await alice.answer('GET', '/v3/voip/turnServer')).toEqual({
      status: 200,
      body: { username, password: new Bun.CryptoHasher('sha1', 'secret').update(username).digest('base64'), uris: URIS, ttl: 7_200 },
    })
  })

  test('are the same for all where there is no secret', async () => {
    const { alice } = await house({ turn_uris: URIS, turn_username: 'all', turn_password: 'of us' })
    expect((await alice.answer('GET', '/v3/voip/turnServer')).body).toEqual({ username: 'all', password: 'of us', uris: URIS, ttl: 3_600 })
  })

  test.each([
    ['there is no server', { turn_shared_secret: 'secret' }],
    ['nothing opens it', { turn_uris: URIS }],
  ])('are none where %s', async (_says, options) => {
    const { alice } = await house(options)
    expect(await alice.answer('GET', '/v3/voip/turnServer')).toEqual({ status: 200, body: {} })
  })

  test('are for guests only where the configuration lets them', async () => {
    for (const [allowed, status] of [[true, 200], [false, 403]] as const) {
      const { register } = await house({ turn_uris: URIS, turn_shared_secret: 'secret', turn_allow_guests: allowed })
      const guest = await register('gast', { isGuest: true })
      expect((await guest.answer('GET', '/v3/voip/turnServer')).status).toBe(status)
    }
  })
})
