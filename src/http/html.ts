import { createHash } from 'node:crypto'
import { escapeHtml } from '#core/page-template.ts'

/** Text that may stand in HTML as it is. Only `html` makes it. */
export type Html = Readonly<{ html: string }>

type Value = string | number | Html | readonly Html[]

/** A template in which every value is escaped, but those that are templates themselves, or lists of them. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html => ({
  html: parts.reduce((text, part, index) => text + printed(values[index - 1] ?? '') + part),
})

function printed(value: Value): string {
  if (typeof value !== 'object') return escapeHtml(String(value))
  return 'html' in value ? value.html : value.map((each) => each.html).join('')
}

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

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const STYLE_HASH = hashOf(STYLE)

/** A script of ours. It is the same text on every page that has it, so that its hash lets it run, and nothing else. */
export type Script = Readonly<{ text: string; hash: string }>

export const script = (text: string): Script => ({ text, hash: hashOf(text) })

/** Headers of every page: nothing from elsewhere, in no frame. `more` is what else its content may do. */
export const pageHeaders = (more: string): Record<string, string> => ({
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; ${more}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
})

/** The one style and the one script are known by their hashes. A page with a script may call this server. */
const policyOf = (code: Script | undefined): string =>
  `style-src ${STYLE_HASH}${code ? `; script-src ${code.hash}; connect-src 'self'` : ''}`

/** A whole page of our own. */
export function page(title: string, body: Html, status = 200, code?: Script): Response {
  const { html: text } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${trusted(STYLE)}</style></head>
<body><main><h1>${title}</h1>${body}</main>${code ? trusted(`<script>${code.text}</script>`) : ''}</body></html>
`
  return new Response(text, { status, headers: pageHeaders(policyOf(code)) })
}
