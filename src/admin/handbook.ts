import { Elysia } from 'elysia'

import { manual, topicNames } from '#manual/index.ts'

import { html, page, trusted } from '#http/html.ts'

export const HANDBOOK_PATH = '/_warren/handbook'

/** The handbook in a browser: what `warren help TOPIC` shows. */
export const handbook = () =>
  new Elysia({ name: 'admin/handbook', normalize: false })
    .get(HANDBOOK_PATH, () => page('Handbook', html`<ul>${trusted(topicNames.map(link).join(''))}</ul>`))
    .get(`${HANDBOOK_PATH}/:topic`, ({ params: { topic } }) => {
      const text = manual.get(topic)
      if (text === undefined) return page('There is no such page', html`<p><a href="${HANDBOOK_PATH}">All pages</a></p>`, 404)
      const [title = '', ...rest] = text.split('\n')
      return page(title.replace(/^#\s*/, ''), trusted(Bun.markdown.html(rest.join('\n'))))
    })

const link = (topic: string): string => html`<li><a href="${HANDBOOK_PATH}/${topic}">${topic}</a></li>`.html
