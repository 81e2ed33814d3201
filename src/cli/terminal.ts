import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { isatty } from 'node:tty'

import type { Terminal } from './command.ts'

const CONTROL_C = '\u0003'
const CONTROL_D = '\u0004'
const BACKSPACES = ['\u0008', '\u007f']
const LINE_ENDS = ['\r', '\n', CONTROL_D]

/** The terminal (or pipe) that the command was started from. */
export function ownTerminal(): Terminal {
  return {
    out: (line) => writeAll(OUTPUT, `${line}\n`),
    error: (line) => writeAll(ERROR_OUTPUT, `${line}\n`),
    isInteractive: isatty(INPUT) && isatty(OUTPUT),
    ask: (question, isHidden) => (isHidden && isatty(INPUT) ? askHidden(question) : askLine(question)),
  }
}

const [INPUT, OUTPUT, ERROR_OUTPUT] = [0, 1, 2]
const FULL_PIPE_PAUSE_MS = 5

/** Writes at once: what a stream still holds when the process exits would be lost in a pipe. */
function writeAll(descriptor: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (failure) {
      // Whoever read has read enough.
      if ((failure as NodeJS.ErrnoException).code !== 'EAGAIN') return
      Bun.sleepSync(FULL_PIPE_PAUSE_MS)
    }
  }
}

/** Lines that came with an earlier one, when input is a pipe. */
const typedAhead: string[] = []
let isAtEnd = false

async function askLine(question: string): Promise<string | null> {
  if (!isatty(INPUT)) return nextPipedLine()
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await reader.question(question)
  } catch {
    return null
  } finally {
    reader.close()
  }
}

async function nextPipedLine(): Promise<string | null> {
  if (!isAtEnd && typedAhead.length === 0) {
    typedAhead.push(...(await Bun.stdin.text()).split('\n'))
    if (typedAhead.at(-1) === '') typedAhead.pop()
    isAtEnd = true
  }
  return typedAhead.shift() ?? null
}

function askHidden(question: string): Promise<string | null> {
  const { stdin, stderr } = process
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.resume()
  let typed = ''
  return new Promise((resolve) => {
    const finish = (answer: string | null): void => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      resolve(answer)
    }
    const take = (chunk: Buffer): void => {
      for (const letter of chunk.toString()) {
        if (letter === CONTROL_C) return finish(null)
        if (LINE_ENDS.includes(letter)) return finish(typed)
        typed = BACKSPACES.includes(letter) ? typed.slice(0, -1) : typed + letter
      }
    }
    stdin.on('data', take)
  })
}
