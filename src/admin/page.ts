import { createHash } from 'node:crypto'

/** Text that may stand in HTML as it is. Only `html` makes it. */
export type Html = Readonly<{ html: string }>

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const escape = (text: string): string => text.replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? letter)

/** A template in which every value is escaped, but those that are templates themselves. */
export const html = (parts: TemplateStringsArray, ...values: readonly (string | number | Html)[]): Html => ({
  html: parts.reduce((text, part, index) => {
    const value = values[index - 1] ?? ''
    return text + (typeof value === 'object' ? value.html : escape(String(value))) + part
  }),
})

/** Text that is HTML already and was made here. */
export const trusted = (text: string): Html => ({ html: text })

const STYLE = `
  :root { color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif }
  body { max-width: 34rem; margin: 10vh auto; padding: 0 1.2rem }
  h1 { font-size: 1.5rem }
  label { display: block; margin: 1rem 0 .2rem }
  input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; border: 1px solid #8888; border-radius: .4rem }
  button { font: inherit; margin-top: 1.4rem; padding: .5rem 1.2rem; border: 0; border-radius: .4rem; background: #2a6f4e; color: #fff }
  code { background: #8882; padding: .1rem .3rem; border-radius: .2rem }
  pre { background: #8882; padding: .6rem; border-radius: .4rem; overflow-x: auto }
  pre code { background: none; padding: 0 }
  table { border-collapse: collapse } td, th { border: 1px solid #8885; padding: .2rem .6rem; text-align: left; vertical-align: top }
  .problem { border-left: .3rem solid #b3261e; padding-left: .8rem }
`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** No script, nothing from elsewhere, in no frame; the one style is known by its hash. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
}

/** A whole page of our own. */
export function page(title: string, body: Html, status = 200): Response {
  const { html: text } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${trusted(STYLE)}</style></head>
<body><main><h1>${title}</h1>${body}</main></body></html>
`
  return new Response(text, { status, headers: HEADERS })
}
