import { Type } from '@sinclair/typebox'

/** Query values arrive as text; these say which text is meant, `readInteger` and `readBoolean` what it means. */
export const QueryInteger = Type.String({ pattern: '^-?\\d{1,15}$' })
export const QueryBoolean = Type.Union([Type.Literal('true'), Type.Literal('false')])
/** A parameter that may be repeated always arrives as a list. */
export const QueryList = Type.Array(Type.String())

export const readInteger = (text: string | undefined, fallback: number): number => (text === undefined ? fallback : Number(text))
export const readBoolean = (text: string | undefined): boolean => text === 'true'
