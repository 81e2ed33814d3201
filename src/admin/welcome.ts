import { Elysia } from 'elysia'
import type { Homeserver } from '#homeserver'
import { html, page } from '#http/html.ts'

/** What a browser finds at `/`: that this is a homeserver, and how to get in. */
export const welcome = ({ config, serverName }: Homeserver) =>
  new Elysia({ name: 'admin/welcome', normalize: false }).get('/', () =>
    config.webClientLocation !== null ? elsewhere(config.webClientLocation) : page('A Matrix homeserver', html`
      <p>This is <code>${serverName}</code>, a homeserver of <a href="https://matrix.org">Matrix</a>: chat that belongs to the people who use it.
      There is nothing to read here; you come in with a Matrix client.</p>
      <p>In a client such as Element, Cinny, FluffyChat or Nheko choose <em>sign in</em>, and give this address as the homeserver:</p>
      <pre><code>${config.publicBaseurl.replace(/\/$/, '')}</code></pre>
      <p>${config.enableRegistration
        ? html`You can make an account there as well.`
        : html`Accounts are made by whoever runs this server.`}</p>`))

const elsewhere = (location: string): Response => new Response(null, { status: 302, headers: { location } })
