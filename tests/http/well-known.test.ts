import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'
import { wellKnownClient } from '#http/well-known.ts'

test.each([
  ['the address stands without a slash', {}, { 'm.homeserver': { base_url: 'https://a.example' } }],
  [
    'the admin’s own keys do not hide the address',
    { extra_well_known_client_content: { 'm.homeserver': { base_url: 'https://mallory.example' }, 'org.example.map': {} } },
    { 'm.homeserver': { base_url: 'https://a.example' }, 'org.example.map': {} },
  ],
])('%s', async (_says, overrides, document) => {
  const { server, close } = await house(overrides)
  expect(wellKnownClient(server)).toEqual(document)
  await close()
})
