import { isJsonObject } from './event-content.ts'
import type { Json } from '#schema/pdu.ts'

/**
 * The property names in a path such as `content.m\.relates_to`. A backslash before a dot or a backslash
 * stands for that character; before anything else it stands for itself.
 * spec: appendices#dot-separated-property-paths
 */
export function splitPath(path: string): string[] {
  if (!path.includes('\\')) return path.split('.')
  const names: string[] = []
  let name = ''
  for (let at = 0; at < path.length; at++) {
    const character = path.charAt(at)
    const next = path.charAt(at + 1)
    if (character === '\\' && (next === '.' || next === '\\')) {
      name += next
      at++
    } else if (character === '.') {
      names.push(name)
      name = ''
    } else {
      name += character
    }
  }
  return [...names, name]
}

/** The value at a path, or undefined. Only objects' own properties are looked at, never an array's items. */
export function getByPath(value: Json, path: string): Json | undefined {
  let found: Json | undefined = value
  for (const name of splitPath(path)) {
    if (!isJsonObject(found) || !Object.hasOwn(found, name)) return undefined
    found = found[name]
  }
  return found
}
