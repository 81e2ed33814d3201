import type { Homeserver } from '#homeserver'
import { html, page, script } from '#http/html.ts'
import { page as routes } from '#http/page.ts'
import { mayLogInByPassword } from '#http/passwords.ts'

/** A whole login for clients that do not know the ways to log in. spec: client-server-api#login-fallback */
export const loginFallbackPage = (server: Homeserver) =>
  routes().get('/_matrix/static/client/login/', () => (mayLogInByPassword(server) ? form(server) : closed()))

const closed = (): Response => page('Sign in', html`<p>There is no way to sign in on this page.</p>`, 403)

/** What is in the address goes along to the login, but nothing that a link must not bring: who it is. */
const LOG_IN = script(`
  const form = document.querySelector('form')
  const problem = document.querySelector('.problem')
  const credentials = ['type', 'identifier', 'user', 'medium', 'address', 'password', 'token']
  const valueOf = (text) => (text === 'true' ? true : text === 'false' ? false : text)
  const forwarded = [...new URLSearchParams(location.search)].filter(([name]) => !credentials.includes(name))
  const say = (text) => {
    problem.textContent = text
    problem.hidden = false
  }
  const finish = (response) => {
    if (window.matrixLogin && window.matrixLogin.onLogin) window.matrixLogin.onLogin(response)
    else if (window.onLogin) window.onLogin(response)
    form.hidden = true
    say('You are signed in, and can go back to your app.')
    problem.className = ''
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    problem.hidden = true
    const identifier = { type: 'm.id.user', user: form.username.value.trim() }
    const given = Object.fromEntries(forwarded.map(([name, text]) => [name, valueOf(text)]))
    const body = { ...given, type: 'm.login.password', identifier, password: form.password.value }
    try {
      const answer = await fetch('../../../client/v3/login', { method: 'POST', body: JSON.stringify(body) })
      const response = await answer.json()
      if (answer.ok) finish(response)
      else say(response.error || 'This did not work.')
    } catch {
      say('The server cannot be reached. Try again.')
    }
  })
`)

const form = ({ serverName }: Homeserver): Response =>
  page('Sign in', html`<p>This is <code>${serverName}</code>.</p>
    <noscript><p class="problem">This page needs JavaScript.</p></noscript>
    <p class="problem" role="alert" hidden></p>
    <form method="post">
      <label for="username">User name</label>
      <input id="username" name="username" required autocomplete="username" autocapitalize="none">
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required autocomplete="current-password">
      <button>Sign in</button>
    </form>`, 200, LOG_IN)
