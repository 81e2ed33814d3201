import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, BrowserContext } from 'playwright-core'
import { chromium } from 'playwright-core'
import { callServer } from '#harness/http-client.ts'
import type { ServerProcess } from '#harness/warren-process.ts'
import { startServer } from '#harness/warren-process.ts'

const browserPath = Bun.which('chromium') ?? Bun.which('chromium-browser') ?? Bun.which('google-chrome')
setDefaultTimeout(60_000)
const PASSWORD = 'correct horse battery staple'

if (browserPath === null) {
  console.warn('fallback-pages.test.ts is skipped: there is no Chromium on this machine (apt-get install chromium)')
}

describe.skipIf(browserPath === null)('pages for clients that do not know a step', () => {
  let server: ServerProcess
  let browser: Browser
  let context: BrowserContext
  const complaints: string[] = []

  beforeAll(async () => {
    server = await startServer()
    browser = await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox'] })
    context = await browser.newContext()
    context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    context.on('weberror', (failure) => complaints.push(failure.error().message))
  })

  afterAll(async () => {
    await browser.close()
    await server.remove()
  })

  const register = (auth?: object) =>
    callServer(server.url, 'POST', '/_matrix/client/v3/register', {
      body: { username: 'alice', password: PASSWORD, inhibit_login: true, ...(auth ? { auth } : {}) },
    })

  test('a stage that is done in another window is told to the one that opened it', async () => {
    const { session } = (await register()).body
    const page = await context.newPage()
    await page.goto(`${server.url}/`)
    const popup = page.waitForEvent('popup')
    const address = `/_matrix/client/v3/auth/m.login.dummy/fallback/web?session=${String(session)}`
    const told = page.evaluate(`new Promise((resolve) => {
      window.addEventListener('message', ({ data }) => resolve(data))
      window.open(${JSON.stringify(address)})
    })`)
    await (await popup).getByRole('button', { name: 'Go on' }).click()
    expect(await told).toBe('authDone')
    expect(await register({ session })).toMatchObject({ status: 200, body: { user_id: `@alice:${server.serverName}` } })
  })

  test('a login is handed to the program around the page, on the device that it names', async () => {
    const page = await context.newPage()
    const handed: Record<string, unknown>[] = []
    await page.exposeFunction('keep', (response: Record<string, unknown>) => void handed.push(response))
    await page.addInitScript('window.matrixLogin = { onLogin: (response) => keep(response) }')
    await page.goto(`${server.url}/_matrix/static/client/login/?device_id=TV&refresh_token=true&user=mallory&password=x`)
    await page.getByLabel('User name').fill('alice')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Wrong user name or password').waitFor()
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('You are signed in').waitFor()
    const login = { user_id: `@alice:${server.serverName}`, device_id: 'TV', refresh_token: expect.any(String) }
    expect(handed).toEqual([expect.objectContaining(login)])
  })

  test('no page breaks a rule of its own content security policy', () => {
    expect(complaints.filter((line) => !line.includes('status of 4'))).toEqual([])
  })
})
