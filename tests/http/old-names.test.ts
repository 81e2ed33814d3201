import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

/** Paths that clients of today still call beside those of the specification. */
test.each([
  ['GET', '/_matrix/client/r0/account/whoami', 200],
  ['GET', '/_matrix/media/r0/config', 200],
  ['GET', '/_matrix/media/v1/config', 200],
  ['GET', '/_matrix/client/unstable/org.matrix.msc3916/media/config', 200],
  ['GET', '/_matrix/client/unstable/org.matrix.msc3916/media/download/a.example/none', 404],
  ['GET', '/_matrix/client/unstable/room_keys/version', 404],
  ['PUT', '/_matrix/client/unstable/room_keys/keys/!none/session?version=1', 400],
  ['POST', '/_matrix/client/unstable/org.matrix.msc3882/login/get_token', 404],
  ['GET', '/_matrix/client/unstable/uk.tcpip.msc4133/profile/@alice:a.example/displayname', 200],
  ['GET', '/_matrix/client/unstable/im.nheko.summary/summary/!none', 404],
  ['GET', '/_matrix/client/unstable/im.nheko.summary/rooms/!none/summary', 404],
  ['GET', '/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms?user_id=@bob:a.example', 200],
  ['GET', '/_matrix/client/unstable/org.matrix.msc4140/delayed_events', 200],
  ['GET', '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports', 200],
  ['GET', '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device', 404],
  ['GET', '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions?dir=b', 200],
  ['GET', '/_matrix/client/unstable/org.matrix.msc2965/auth_metadata', 404],
  ['GET', '/_matrix/client/unstable/org.matrix.msc2965/auth_issuer', 404],
  ['GET', '/_matrix/client/unstable/org.matrix.msc1763/retention/configuration', 200],
  ['POST', '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync', 200],
  ['POST', '/_matrix/client/v4/sync', 200],
  ['POST', '/_matrix/client/unstable/org.matrix.msc3720/account_status', 400],
  ['POST', '/_matrix/client/unstable/org.matrix.msc4151/rooms/!none/report', 200],
  ['POST', '/_matrix/client/unstable/org.matrix.msc4260/users/@none:a.example/report', 200],
  ['POST', '/_matrix/client/unstable/xyz.amorgan.knock/knock/!none', 404],
  ['DELETE', '/_matrix/client/unstable/org.matrix.msc3391/user/@alice:a.example/account_data/x', 200],
])('%s %s is answered: %d', async (method, path, status) => {
  const { alice } = await house()
  const answer = await alice.answer(method, path, method === 'POST' ? { reason: 'x' } : undefined)
  expect(answer.status).toBe(status)
  // What is not there at all has another word for it than what this path does not find.
  if (path.includes('msc2965') || path.includes('get_token')) return
  expect(answer.body.errcode).not.toBe('M_UNRECOGNIZED')
})
