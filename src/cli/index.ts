import { ConfigError } from '#config'
import { DataFolderBusy } from '#process/lock.ts'
import type { OpenServer } from '#process/serve.ts'

import { findCommand, parseArguments } from './arguments.ts'
import { EXIT_FAILED, EXIT_FINE, EXIT_USAGE, Failure, UsageMistake, type Command, type Terminal } from './command.ts'
import { configCheckCommand } from './config-check.ts'
import { generateConfigCommand } from './generate-config.ts'
import { generateSigningKeyCommand } from './generate-signing-key.ts'
import { hashPasswordCommand } from './hash-password.ts'
import { helpCommand, usage } from './help.ts'
import { registerNewMatrixUserCommand } from './register-new-matrix-user.ts'
import { restartCommand } from './restart.ts'
import { roomCommands } from './room.ts'
import { serveCommand } from './serve.ts'
import { startCommand } from './start.ts'
import { statusCommand } from './status.ts'
import { stopCommand } from './stop.ts'
import { topCommand } from './top.ts'
import { userCommands } from './user.ts'
import { versionCommand } from './version.ts'

/** Every command of the binary; `open` opens the homeserver. */
export function commandsFor(open: OpenServer): readonly Command[] {
  const commands: readonly Command[] = [
    startCommand,
    stopCommand,
    restartCommand,
    statusCommand,
    serveCommand(open),
    generateConfigCommand,
    configCheckCommand,
    generateSigningKeyCommand,
    hashPasswordCommand,
    registerNewMatrixUserCommand,
    ...userCommands(open),
    ...roomCommands(open),
    topCommand,
    versionCommand,
    helpCommand(() => commands),
  ]
  return commands
}

const ALIASES: Readonly<Record<string, string>> = { '--version': 'version', '-V': 'version', '--help': 'help', '-h': 'help' }

/** Runs one command line and answers with the exit code. Without a command, the server itself in the foreground. */
export async function runCommandLine(argv: readonly string[], open: OpenServer, terminal: Terminal): Promise<number> {
  try {
    return await runCommand(withCommand(argv), commandsFor(open), terminal)
  } catch (failure) {
    return explain(failure, argv, terminal)
  }
}

/** `warren -c FILE` means `warren serve -c FILE`. */
function withCommand(argv: readonly string[]): readonly string[] {
  const alias = ALIASES[argv[0] ?? '']
  if (alias !== undefined) return [alias, ...argv.slice(1)]
  const named = argv.some((word, index) => !word.startsWith('-') && !takesValue(argv[index - 1]))
  return named ? argv : ['serve', ...argv]
}

const takesValue = (word: string | undefined): boolean =>
  word !== undefined && ['-c', '--config', '-H', '--server-name', '--data-directory'].includes(word)

async function runCommand(argv: readonly string[], commands: readonly Command[], terminal: Terminal): Promise<number> {
  const { command, rest } = findCommand(commands, argv)
  const invocation = parseArguments(command, rest, terminal)
  if (invocation.flags.has('help')) {
    for (const line of usage(command)) terminal.out(line)
    return EXIT_FINE
  }
  return command.run(invocation)
}

function explain(failure: unknown, argv: readonly string[], terminal: Terminal): number {
  const lines = linesOf(failure)
  if (lines === null) throw failure
  if (argv.includes('--json')) terminal.error(JSON.stringify({ error: lines.join('\n') }))
  else for (const line of lines) terminal.error(line)
  if (failure instanceof UsageMistake) return EXIT_USAGE
  return failure instanceof Failure ? failure.exitCode : EXIT_FAILED
}

function linesOf(failure: unknown): readonly string[] | null {
  if (failure instanceof UsageMistake || failure instanceof Failure || failure instanceof ConfigError) return failure.lines
  if (failure instanceof DataFolderBusy) {
    return [failure.message, 'Type `warren status` to see it, `warren stop` to end it, or choose another data_dir']
  }
  const { code, message } = failure as NodeJS.ErrnoException
  // What the operating system refuses (rights, space, missing folders) says enough by itself.
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? [message] : null
}
