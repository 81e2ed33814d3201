import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { callServer, login } from '#harness/http-client.ts'
import type { ServerProcess } from '#harness/warren-process.ts'
import { askWarren, startServer } from '#harness/warren-process.ts'

const browserPath = Bun.which('chromium') ?? Bun.which('chromium-browser') ?? Bun.which('google-chrome')
const START_LIMIT_MS = 60_000
setDefaultTimeout(START_LIMIT_MS)
const PASSWORD = 'correct horse battery staple'

if (browserPath === null) {
  console.warn('setup-page.test.ts is skipped: there is no Chromium on this machine (apt-get install chromium)')
}

/** Links that a server has printed so far, as paths, whatever the host it believes itself to have. */
function printedLinks(server: ServerProcess): string[] {
  return [...server.output().matchAll(/https?:\/\/[^/\s]+(\/_warren\/setup\S+)/g)].map(([, path = '']) => path)
}

/** The tests below are one story: each goes on where the one before ended. */
describe.skipIf(browserPath === null)('the page of the first account', () => {
  let server: ServerProcess
  let browser: Browser
  let page: Page
  let link = ''
  const complaints: string[] = []

  beforeAll(async () => {
    const closed = { enable_registration: false, enable_registration_without_verification: false }
    server = await startServer({ config: closed })
    browser = await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox'] })
    page = await browser.newPage()
    page.on('pageerror', (failure) => complaints.push(failure.message))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
  })

  afterAll(async () => {
    await browser.close()
    await server.remove()
  })

  async function fillIn(username: string, password: string, again: string): Promise<void> {
    await page.getByLabel('User name').fill(username)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByLabel('The same once more').fill(again)
    await page.getByRole('button', { name: 'Make the account' }).click()
  }

  test('is at a link that a fresh server prints once', () => {
    const links = printedLinks(server)
    expect(links).toHaveLength(1)
    link = server.url + links[0]
  })

  test('does not open to who only guesses the link', async () => {
    const response = await fetch(link.slice(0, -2), { keepalive: false })
    expect([403, 404]).toContain(response.status)
  })

  test('asks again when the passwords differ, and makes nobody', async () => {
    await page.goto(link)
    await fillIn('alice', PASSWORD, `${PASSWORD}!`)
    expect(await page.getByText('The two passwords are not the same.').isVisible()).toBe(true)
    expect(await page.getByLabel('User name').inputValue()).toBe('alice')
    const identifier = { type: 'm.id.user', user: 'alice' }
    const body = { type: 'm.login.password', identifier, password: PASSWORD }
    expect(await callServer(server.url, 'POST', '/_matrix/client/v3/login', { body })).toMatchObject({ status: 403 })
  })

  test('makes the first account, an admin', async () => {
    await fillIn('alice', PASSWORD, PASSWORD)
    await page.getByText(`@alice:${server.serverName}`).waitFor()
    const { userId } = await login(server.url, 'alice', PASSWORD)
    expect(await askWarren(server, 'user', 'show', userId)).toMatchObject({ userId, isAdmin: true })
  })

  test('is gone once there is an account', async () => {
    const response = await page.goto(link)
    expect([404, 410]).toContain(response?.status() ?? 0)
    expect(await page.getByRole('button').count()).toBe(0)
    const form = new URLSearchParams({ username: 'mallory', password: PASSWORD, again: PASSWORD })
    for (const [key, value] of new URL(link).searchParams) form.set(key, value)
    const posted = await fetch(link, { method: 'POST', body: form, keepalive: false })
    expect([404, 410]).toContain(posted.status)
    await expect(login(server.url, 'mallory', PASSWORD)).rejects.toThrow('403')
  })

  test('stays gone after a restart, and no other link is printed', async () => {
    await server.stop()
    await server.start()
    expect(printedLinks(server)).toHaveLength(1)
    const response = await fetch(link, { keepalive: false })
    expect([403, 404, 410]).toContain(response.status)
  })

  test('breaks no rule of its own content security policy', () => {
    expect(complaints.filter((line) => !line.includes('status of 4'))).toEqual([])
  })
})
