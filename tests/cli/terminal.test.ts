import { expect, test } from 'bun:test'

const MEGABYTE = 1024 ** 2

/** Runs a line of code with the terminal of the command line, with this input, and reads slowly what comes out. */
async function program(code: string, input = ''): Promise<string> {
  const script = `import { ownTerminal } from '#cli/terminal.ts'; const terminal = ownTerminal(); ${code}; process.exit(0)`
  const child = Bun.spawn([process.execPath, '-e', script], { stdin: new TextEncoder().encode(input), stdout: 'pipe', stderr: 'pipe' })
  await Bun.sleep(200)
  return child.stdout.text()
}

test('all of a long answer arrives in a pipe, though the process ends at once', async () => {
  expect((await program(`terminal.out('x'.repeat(3 * ${MEGABYTE}))`)).length).toBe(3 * MEGABYTE + 1)
})

test('questions are answered from a pipe, line by line, and end where it ends', async () => {
  const code = `for (const hidden of [false, true, false]) terminal.out(JSON.stringify(await terminal.ask('? ', hidden)))`
  expect(await program(code, 'alice\nsecret\n')).toBe('"alice"\n"secret"\nnull\n')
})
