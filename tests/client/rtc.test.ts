import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

const PATH = '/unstable/org.matrix.msc4143/rtc/transports'
const FOCUS = { type: 'livekit', livekit_service_url: 'https://sfu.a.example' }

test('servers for calls are listed under both names, and in the well-known document', async () => {
  const { alice, stranger } = await house({ matrix_rtc: { transports: [FOCUS] } })
  expect(await alice.answer('GET', PATH)).toEqual({ status: 200, body: { rtc_transports: [FOCUS], transports: [FOCUS] } })
  expect((await stranger.answer('GET', '/_/../.well-known/matrix/client')).body).toMatchObject({ 'org.matrix.msc4143.rtc_foci': [FOCUS] })
  expect((await stranger.answer('GET', PATH)).status).toBe(401)
})

test('without any the list is empty and the document does not speak of them', async () => {
  const { alice, stranger } = await house()
  expect(await alice.answer('GET', PATH)).toEqual({ status: 200, body: { rtc_transports: [], transports: [] } })
  expect((await stranger.answer('GET', '/_/../.well-known/matrix/client')).body).not.toHaveProperty('org.matrix.msc4143.rtc_foci')
})
