/**
 * Templates of pages that an admin has written: the part of Jinja that such files use. `{{ name }}` puts in a value,
 * escaped; `{% if name %}`, `{% if not name %}`, `{% elif %}`, `{% else %}`, `{% endif %}` choose; `{# #}` says nothing.
 */

/** What a page is about. Absent and empty values count as false. */
export type TemplateValues = Readonly<Record<string, string | boolean>>

type Part =
  | Readonly<{ kind: 'text'; text: string }>
  | Readonly<{ kind: 'value'; name: string }>
  | Readonly<{ kind: 'choice'; branches: readonly Branch[] }>
/** The first branch whose condition holds is printed; the one of `else` has none. */
type Branch = { readonly condition: Condition | null; readonly parts: Part[] }
type Condition = Readonly<{ name: string; isNegated: boolean }>
export type Template = readonly Part[]

/** What is wrong with a template, and in which line. */
export class TemplateProblem extends Error {
  override readonly name = 'TemplateProblem'
}

const TAG = /\{\{-?\s*([^{}]*?)\s*-?\}\}|\{%-?\s*([^{}]*?)\s*-?%\}|\{#[^]*?#\}/g
const NAME = /^[a-z_]\w*$/i
const CONDITION = /^(not\s+)?([a-z_]\w*)$/i

export function parseTemplate(text: string): Template {
  const root: Part[] = []
  const open: { branches: Branch[]; around: Part[] }[] = []
  let parts = root
  let at = 0
  for (const tag of text.matchAll(TAG)) {
    const [whole, value, statement] = tag
    const fail = (why: string): never => {
      throw new TemplateProblem(`line ${text.slice(0, tag.index).split('\n').length}: ${why}: ${whole}`)
    }
    if (tag.index > at) parts.push({ kind: 'text', text: text.slice(at, tag.index) })
    at = tag.index + whole.length
    if (value !== undefined) parts.push(NAME.test(value) ? { kind: 'value', name: value } : fail('only a name can be put in'))
    if (statement === undefined) continue
    const [, word = '', rest = ''] = /^(\w+)\s*(.*)$/.exec(statement) ?? []
    const around = open.at(-1)
    if (word === 'if') {
      open.push({ branches: [], around: parts })
      parts = begin(open.at(-1), conditionOf(rest) ?? fail('only a name can be a condition'))
    } else if (word === 'elif' && around?.branches.at(-1)?.condition) {
      parts = begin(around, conditionOf(rest) ?? fail('only a name can be a condition'))
    } else if (word === 'else' && rest === '' && around?.branches.at(-1)?.condition) {
      parts = begin(around, null)
    } else if (word === 'endif' && rest === '' && around) {
      open.pop()
      parts = around.around
      parts.push({ kind: 'choice', branches: around.branches })
    } else {
      fail('this is not understood')
    }
  }
  if (open.length > 0) throw new TemplateProblem('an {% if %} has no {% endif %}')
  parts.push({ kind: 'text', text: text.slice(at) })
  return root
}

function begin(choice: { branches: Branch[] } | undefined, condition: Condition | null): Part[] {
  const parts: Part[] = []
  choice?.branches.push({ condition, parts })
  return parts
}

function conditionOf(text: string): Condition | undefined {
  const [, not, name] = CONDITION.exec(text) ?? []
  return name === undefined ? undefined : { name, isNegated: not !== undefined }
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as it may stand in HTML, between tags and in quotes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? letter)

export const printTemplate = (template: Template, values: TemplateValues): string =>
  template.map((part) => printPart(part, values)).join('')

function printPart(part: Part, values: TemplateValues): string {
  const valueOf = (name: string): string | boolean => (Object.hasOwn(values, name) ? (values[name] ?? '') : '')
  switch (part.kind) {
    case 'text':
      return part.text
    case 'value':
      return escapeHtml(String(valueOf(part.name)))
    case 'choice': {
      const holds = ({ condition }: Branch): boolean => condition === null || Boolean(valueOf(condition.name)) !== condition.isNegated
      return printTemplate(part.branches.find(holds)?.parts ?? [], values)
    }
  }
}
