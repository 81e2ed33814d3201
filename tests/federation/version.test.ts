import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

test('anyone is told what this server is', async () => {
  const { stranger } = await house()
  const { version } = (await Bun.file('package.json').json()) as { version: string }
  expect(await stranger.answer('GET', '/_matrix/federation/v1/version')).toEqual({ status: 200, body: { server: { name: 'Warren', version } } })
})
