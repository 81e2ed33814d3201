import { describe, expect, test } from 'bun:test'
import { parseTemplate, printTemplate, type TemplateValues } from '#core/page-template.ts'

const print = (text: string, values: TemplateValues = {}): string => printTemplate(parseTemplate(text), values)

describe('a template', () => {
  test.each<[string, string, TemplateValues, string]>([
    ['is its own text', '<p>{ a % b # c }</p>', {}, '<p>{ a % b # c }</p>'],
    ['has values put in', 'a {{ user }} b {{user}}{{- user -}}', { user: '@x' }, 'a @x b @x@x'],
    ['escapes what is put in', '<a title="{{ user }}">', { user: `"'<&>` }, '<a title="&quot;&#39;&lt;&amp;&gt;">'],
    ['has nothing for a name that is not known', 'a{{ constructor }}b', {}, 'ab'],
    ['leaves comments out', 'a{# {{ user }}\n {% if %} #}b', {}, 'ab'],
    ['chooses by what is true', '{% if yes %}a{% else %}b{% endif %}', { yes: true }, 'a'],
    ['chooses the other', '{% if yes %}a{% else %}b{% endif %}', { yes: false }, 'b'],
    ['takes an empty text for false', '{%- if not user -%}a{% endif %}', { user: '' }, 'a'],
    ['takes a text for true', '{% if not user %}a{% endif %}', { user: 'false' }, ''],
    ['tries one after another', '{% if a %}1{% elif b %}2{% elif not c %}3{% else %}4{% endif %}', { c: true }, '4'],
    ['goes deeper', '{% if a %}<{% if b %}{{ b }}{% endif %}>{% endif %}.', { a: true, b: 'x' }, '<x>.'],
  ])('%s', (_says, text, values, printed) => {
    expect(print(text, values)).toBe(printed)
  })

  test.each([
    ['a condition that is more than a name', 'a\n{% if a == 1 %}{% endif %}', 'line 2: only a name can be a condition: {% if a == 1 %}'],
    ['a value that is more than a name', '{{ a.b }}', 'line 1: only a name can be put in: {{ a.b }}'],
    ['what it does not know', '\n\n{% for a in b %}', 'line 3: this is not understood: {% for a in b %}'],
    ['an end without a beginning', '{% endif %}', 'line 1: this is not understood: {% endif %}'],
    ['a second else', '{% if a %}{% else %}{% else %}{% endif %}', 'line 1: this is not understood: {% else %}'],
    ['a beginning without an end', '{% if a %}', 'an {% if %} has no {% endif %}'],
  ])('refuses %s', (_says, text, why) => {
    expect(() => parseTemplate(text)).toThrow(why)
  })
})
