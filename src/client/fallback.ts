import { isJsonObject } from '#core/event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { connectionOf } from '#http/connection.ts'
import { readForm } from '#http/form.ts'
import { html, type Html, page, script } from '#http/html.ts'
import { type Matched, page as routes } from '#http/page.ts'
import { rateLimiter } from '#http/rate-limit.ts'
import { findStage, type OpenStage } from '#http/uia.ts'
import { MatrixError } from '#schema/matrix-error.ts'

const PATH = '/_matrix/client/v3/auth/:stage/fallback/web'

/** Stages of user-interactive authentication for clients that do not know them. spec: client-server-api#fallback */
export const fallbackPage = (server: Homeserver) => {
  const attempts = rateLimiter(server.config.rc.registrationTokenValidity, server.clock.now)

  const whenOpen = async ({ request, params }: Matched, show: (stage: OpenStage, form: Form) => Promise<Response>): Promise<Response> => {
    const name = params.stage ?? ''
    const session = new URL(request.url).searchParams.get('session') ?? ''
    const stage = findStage(server, session, name)
    const form = FORMS.get(name)
    if (!stage || !form) return gone()
    return stage.isDone ? done() : show(stage, form)
  }

  const attempt = async (stage: OpenStage, form: Form, { request }: Matched): Promise<Response> => {
    const fields = await readForm(request)
    if (fields instanceof Response) return fields
    const failure = await failureOf(async () => {
      attempts.take(connectionOf(request).address)
      return stage.attempt(form.auth(fields, stage))
    })
    return failure ? ask(form, stage, failure) : done()
  }

  return routes()
    .get(PATH, (matched) => whenOpen(matched, async (stage, form) => ask(form, stage)))
    .post(PATH, (matched) => whenOpen(matched, (stage, form) => attempt(stage, form, matched)))
}

/** A refusal is for the person in front of the page; anything else is a fault, and the router says so. */
async function failureOf(work: () => Promise<MatrixError | undefined>): Promise<MatrixError | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MatrixError) return error
    throw error
  }
}

type Form = Readonly<{
  title: string
  fields: (stage: OpenStage) => Html
  button: string
  /** What a client would have sent. */
  auth: (fields: URLSearchParams, stage: OpenStage) => JsonObject
}>

const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['m.login.dummy', { title: 'One more step', fields: () => html`<p>There is nothing to fill in here.</p>`, button: 'Go on', auth: () => ({}) }],
  ['m.login.registration_token', {
    title: 'Registration token',
    fields: () => html`<p>Accounts are made here with a token from whoever runs this server.</p>
      <label for="token">Token</label>
      <input id="token" name="token" required autocomplete="off" autocapitalize="none">`,
    button: 'Go on',
    auth: (fields) => ({ token: fields.get('token') ?? '' }),
  }],
  ['m.login.password', {
    title: 'Is it you?',
    fields: ({ userId = '' }) => html`<p>Give the password of <code>${userId}</code> to go on.</p>
      <input name="username" type="hidden" autocomplete="username" value="${userId}">
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required autocomplete="current-password">`,
    button: 'Go on',
    auth: (fields, { userId = '' }) => ({ identifier: { type: 'm.id.user', user: userId }, password: fields.get('password') ?? '' }),
  }],
  ['m.login.terms', {
    title: 'Terms',
    fields: ({ params }) => html`<p>Please read these, and accept them to go on:</p>${policiesIn(params).map(policyLink)}`,
    button: 'I accept',
    auth: () => ({}),
  }],
])

type Policy = Readonly<{ name: string; url: string }>

/** Each policy in the first language that it has. spec: client-server-api#definition-mloginterms-params */
function policiesIn({ policies }: JsonObject): Policy[] {
  return Object.values(isJsonObject(policies) ? policies : {}).flatMap((policy) =>
    Object.values(isJsonObject(policy) ? policy : {}).flatMap((text) =>
      isJsonObject(text) && typeof text.name === 'string' && typeof text.url === 'string' ? [{ name: text.name, url: text.url }] : []).slice(0, 1))
}

const policyLink = ({ name, url }: Policy): Html => html`<p><a href="${url}" target="_blank" rel="noopener">${name}</a></p>`

const ask = ({ title, fields, button }: Form, stage: OpenStage, failure?: MatrixError): Response =>
  page(title, html`${failure ? html`<p class="problem">${failure.message}</p>` : ''}
    <form method="post">${fields(stage)}<button>${button}</button></form>`, failure?.status ?? 200)

/** The words are those of the specification: clients define `onAuthDone`, or wait for the message. */
const TELL_CLIENT = script(`
  if (window.onAuthDone) window.onAuthDone()
  else if (window.opener && window.opener.postMessage) window.opener.postMessage('authDone', '*')
`)

const done = (): Response => page('Done', html`<p>You can close this window and go back to your app.</p>`, 200, TELL_CLIENT)

const gone = (): Response =>
  page('There is nothing to do here', html`<p>What you have begun is over, or has waited too long. Go back to your app and begin again.</p>`, 404)
