import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { Failure, textFlag, UsageMistake, type Flag, type Invocation } from './command.ts'

export const PASSWORD_FLAGS: readonly Flag[] = [
  { long: 'password', short: 'p', value: 'PASSWORD', about: 'the password (other users of this machine may see it there)' },
  { long: 'password-file', value: 'FILE', about: 'a file whose first line is the password; - reads it from the input' },
]

/** Without those that look alike. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const MADE_UP_LENGTH = 20

/** A password of about 115 bits that can be read aloud. */
export const madeUpPassword = (): string =>
  Array.from({ length: MADE_UP_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('')

/** The password that the flags name; null when they name none. Throws UsageMistake when they name two. */
export async function passwordFromFlags(invocation: Invocation): Promise<string | null> {
  const inline = textFlag(invocation, 'password')
  const file = textFlag(invocation, 'password-file')
  if (inline !== undefined && file !== undefined) throw new UsageMistake(['Give --password or --password-file, not both'])
  if (inline !== undefined) return inline
  if (file === undefined) return null
  const text = file === '-' ? await invocation.terminal.ask('', false) : readFileSync(file, 'utf8').split('\n')[0]
  return text ?? ''
}

/** The password of the flags, or typed twice. Throws Failure when the two differ or nothing is typed. */
export async function askPassword(invocation: Invocation): Promise<string> {
  const given = await passwordFromFlags(invocation)
  if (given !== null && given !== '') return given
  const first = await invocation.terminal.ask('Password: ', true)
  if (first === null || first === '') throw new Failure(['No password was given'])
  const second = await invocation.terminal.ask('The same once more: ', true)
  if (first !== second) throw new Failure(['The two passwords are not the same'])
  return first
}
