import { html, page } from './html.ts'

/** A form is a few hundred bytes. */
export const FORM_LIMIT_BYTES = 16 * 1024

/** The fields of a form that was sent, or the page that refuses one that is too large. */
export async function readForm(request: Request): Promise<URLSearchParams | Response> {
  const text = await request.text()
  if (text.length > FORM_LIMIT_BYTES) return page('Too much', html`<p>This form is larger than it can be.</p>`, 413)
  return new URLSearchParams(text)
}
