import { expect, test } from 'bun:test'
import { house } from '#harness/house.ts'

const PATH = '/_matrix/static/client/login/'

test('the login page has a form and one script, and may load nothing else', async () => {
  const { stranger } = await house()
  const response = await stranger('GET', PATH)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(response.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^;]+'; script-src 'sha256-[^;]+'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
  )
  const text = await response.text()
  expect([text.includes('name="password"'), text.includes('matrixLogin.onLogin')]).toEqual([true, true])
})

test('the login page says so where nobody logs in by password', async () => {
  const { stranger } = await house({ password_config: { enabled: false } })
  const response = await stranger('GET', PATH)
  expect([response.status, (await response.text()).includes('<form')]).toEqual([403, false])
})
