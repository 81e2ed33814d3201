import { describe, expect, test } from 'bun:test'

import { html } from '#http/html.ts'
import { setup, SETUP_PATH } from '#admin/setup.ts'
import { fakeDoor } from '#harness/fake-server.ts'
import type { ServerName } from '#schema/identifiers.ts'

const KEY = 'the-key-of-the-link'

function firstAccount() {
  const door = fakeDoor()
  const happened: string[] = []
  const pages = setup({
    door,
    serverName: 'a.example' as ServerName,
    publicBaseurl: 'https://a.example/',
    key: KEY,
    done: () => void happened.push('done'),
    bug: (error) => void happened.push(String(error)),
  })
  const get = (key: string) => pages.handle(new Request(`http://a.example${SETUP_PATH}?key=${key}`))
  const post = (fields: Readonly<Record<string, string>>) =>
    pages.handle(new Request(`http://a.example${SETUP_PATH}`, { method: 'POST', body: new URLSearchParams(fields) }))
  return { door, happened, get, post }
}

const GOOD = { key: KEY, username: 'Alice', password: 'correct horse', again: 'correct horse' }

describe('the first account', () => {
  test('is an admin', async () => {
    const { post, door, happened } = firstAccount()
    const response = await post(GOOD)
    expect([response.status, happened]).toEqual([200, ['done']])
    expect(await response.text()).toContain('@alice:a.example')
    expect(door.users.get('@alice:a.example')).toMatchObject({ isAdmin: true, password: 'correct horse' })
  })

  test('is made once', async () => {
    const { get, post, door } = firstAccount()
    await post(GOOD)
    expect([(await get(KEY)).status, (await post({ ...GOOD, username: 'mallory' })).status]).toEqual([410, 410])
    expect(door.users.size).toBe(1)
  })

  test('is made once though two forms arrive together', async () => {
    const { post, door } = firstAccount()
    const statuses = (await Promise.all([post(GOOD), post({ ...GOOD, username: 'mallory' })])).map(({ status }) => status)
    expect([statuses.toSorted(), door.users.size]).toEqual([[200, 410], 1])
  })

  test.each([
    ['without a key', ''],
    ['with a wrong key', 'the-key-of-the-lonk'],
  ])('is not for who comes %s', async (_, key) => {
    const { get, post, door } = firstAccount()
    expect([(await get(key)).status, (await post({ ...GOOD, key })).status, door.users.size]).toEqual([403, 403, 0])
  })

  test.each([
    ['no name', { username: ' ' }, 'Choose a user name.'],
    ['a short password', { password: 'short', again: 'short' }, 'A password has at least 8 letters.'],
    ['two passwords', { again: 'another horse' }, 'The two passwords are not the same.'],
  ])('is asked for again with %s', async (_, change, problem) => {
    const { post, door } = firstAccount()
    const response = await post({ ...GOOD, ...change })
    expect([response.status, door.users.size]).toEqual([400, 0])
    expect(await response.text()).toContain(problem)
  })

  test('the form shows what was typed, but no passwords', async () => {
    const { post } = firstAccount()
    const text = await (await post({ ...GOOD, username: '"><script>', again: 'other' })).text()
    expect(text).toContain('value="&quot;&gt;&lt;script&gt;"')
    expect(text).not.toContain('correct horse')
  })

  test('the page may run no script and stand in no frame', async () => {
    const { headers } = await firstAccount().get(KEY)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toStartWith("default-src 'none'; style-src 'sha256-")
    expect(policy).toContain("frame-ancestors 'none'")
    expect([headers.get('referrer-policy'), headers.get('cache-control')]).toEqual(['no-referrer', 'no-store'])
  })
})

test('templates escape what is put into them, but not each other', () => {
  expect(html`<p>${'<b>&"'}${html`<i>${1}</i>`}</p>`.html).toBe('<p>&lt;b&gt;&amp;&quot;<i>1</i></p>')
})
