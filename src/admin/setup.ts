import { timingSafeEqual } from 'node:crypto'

import { Elysia } from 'elysia'

import { readForm } from '#http/form.ts'
import { html, page, type Html } from '#http/html.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import type { ServerName } from '#schema/identifiers.ts'

import type { Bug } from './answer.ts'
import type { AdminDoor } from './door.ts'

export const SETUP_PATH = '/_warren/setup'
const SHORTEST_PASSWORD = 8

export type Setup = Readonly<{
  door: AdminDoor
  serverName: ServerName
  /** What to put in a client. */
  publicBaseurl: string
  /** The secret in the link. */
  key: string
  /** Called once the first account is there. */
  done(): void
  bug: Bug
}>

/** The page of the first account, an admin. Its link works once: never again when there is an account. */
export const setup = (given: Setup) => {
  // Two forms may pass the look at the count of accounts together; only one of them gets past this.
  let isTaken = false
  const whenOpen = async (key: string | null, show: () => Promise<Response> | Response): Promise<Response> => {
    if (!isKey(key, given.key)) return page('This link is not the one', html`<p>Use the link that the server printed when it started.</p>`, 403)
    return (await given.door.stats()).users > 0 ? gone() : show()
  }
  const make = async (form: URLSearchParams): Promise<Response> => {
    const problem = problemOf(form)
    if (problem !== null) return formPage(given, form, problem)
    if (isTaken) return gone()
    isTaken = true
    const { isMade, response } = await makeAdmin(given, form)
    isTaken = isMade
    return response
  }
  return new Elysia({ name: 'admin/setup', normalize: false })
    .get(SETUP_PATH, ({ request }) =>
      whenOpen(new URL(request.url).searchParams.get('key'), () => formPage(given, new URLSearchParams(), null)))
    .post(SETUP_PATH, async ({ request }) => {
      const form = await readForm(request)
      return form instanceof Response ? form : whenOpen(form.get('key'), () => make(form))
    }, { parse: 'none' })
}

const gone = (): Response => page('There is an account already', html`<p>This link has done its work. Make more
  accounts with <code>warren user create</code>.</p>`, 410)

function isKey(offered: string | null, key: string): boolean {
  const [left, right] = [Buffer.from(offered ?? ''), Buffer.from(key)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function problemOf(form: URLSearchParams): string | null {
  const password = form.get('password') ?? ''
  if ((form.get('username') ?? '').trim() === '') return 'Choose a user name.'
  if (password.length < SHORTEST_PASSWORD) return `A password has at least ${SHORTEST_PASSWORD} letters.`
  if (password !== form.get('again')) return 'The two passwords are not the same.'
  return null
}

async function makeAdmin(given: Setup, form: URLSearchParams): Promise<{ isMade: boolean; response: Response }> {
  try {
    const { userId } = await given.door.createUser({
      localpart: (form.get('username') ?? '').trim().toLowerCase(),
      password: form.get('password'),
      admin: true,
      displayname: null,
      userType: null,
    })
    given.done()
    const response = page('Done', html`<p>You are <code>${userId}</code>, and an admin.</p>
      <p>In a Matrix client, choose <em>sign in</em>, give <code>${given.publicBaseurl}</code> as the homeserver,
      and then your user name and password.</p>`)
    return { isMade: true, response }
  } catch (error) {
    if (error instanceof MatrixError) return { isMade: false, response: formPage(given, form, error.message) }
    given.bug(error)
    return { isMade: false, response: formPage(given, form, 'Something went wrong; the log of the server says what.') }
  }
}

function formPage(given: Setup, form: URLSearchParams, problem: string | null): Response {
  const said: Html = problem === null ? html`` : html`<p class="problem">${problem}</p>`
  return page('The first account', html`
    <p>This is ${given.serverName}, and nobody lives here yet. The first account is an admin.</p>${said}
    <form method="post" action="${SETUP_PATH}">
      <input type="hidden" name="key" value="${given.key}">
      <label for="username">User name</label>
      <input id="username" name="username" required autocomplete="username" autocapitalize="none" value="${form.get('username') ?? ''}">
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required minlength="${SHORTEST_PASSWORD}" autocomplete="new-password">
      <label for="again">The same once more</label>
      <input id="again" name="again" type="password" required autocomplete="new-password">
      <button>Make the account</button>
    </form>`, problem === null ? 200 : 400)
}
