import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes the standalone executables in dist/. Runtimes of foreign targets are npm packages, fetched by npm and held to
 * the lockfile's digests.
 *
 * bun scripts/build.ts [--native] [TARGET …]   for instance linux-arm64-musl; --native: this machine's only
 */

const root = join(import.meta.dir, '..')
const dist = join(root, 'dist')
const runtimes = join(root, 'node_modules', '.cache', 'warren-runtimes')

/** What each executable is called, what Bun calls its target, and the package that holds its runtime. */
const TARGETS = [
  { name: 'linux-x64', target: 'bun-linux-x64', runtime: '@oven/bun-linux-x64' },
  { name: 'linux-x64-musl', target: 'bun-linux-x64-musl', runtime: '@oven/bun-linux-x64-musl' },
  { name: 'linux-arm64', target: 'bun-linux-arm64', runtime: '@oven/bun-linux-aarch64' },
  { name: 'linux-arm64-musl', target: 'bun-linux-arm64-musl', runtime: '@oven/bun-linux-aarch64-musl' },
  { name: 'darwin-arm64', target: 'bun-darwin-arm64', runtime: '@oven/bun-darwin-aarch64' },
  { name: 'darwin-x64', target: 'bun-darwin-x64', runtime: '@oven/bun-darwin-x64' },
] as const
type Target = (typeof TARGETS)[number]

/** The program, and its threads: a thread's file must be named, or it would not be in the executable. */
const ENTRY = 'src/main.ts'
const THREADS = ['src/store/writer.ts', 'src/store/checkpointer.ts', 'src/store/reader.ts', 'src/crunch.ts']

const LOADER_WITHIN_BYTES = 4096

const FLAGS = [
  '--compile',
  '--minify',
  '--bytecode',
  '--format=esm',
  '--sourcemap=none',
  // All lie in one folder of the executable, where `new URL('./writer.ts', import.meta.url)` looks for a thread.
  '--entry-naming=[name].[ext]',
  // What lies in the folder where an admin happens to stand must not change the server.
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
]

function run(command: readonly string[], cwd: string = root): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd, stdout: 'pipe', stderr: 'pipe' })
  if (exitCode !== 0) throw new Error(`${command.join(' ')} failed:\n${stdout.toString()}${stderr.toString()}`)
  return stdout.toString()
}

type Lock = { packages: Record<string, { version?: string; integrity?: string }> }
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock

/** The path of the runtime of a target: the one that runs this, or one that npm packs for us. */
function runtimeOf({ name, runtime }: Target): string {
  if (name === nativeName()) return process.execPath
  const { version, integrity } = lock.packages[`node_modules/${runtime}`] ?? {}
  if (version === undefined || integrity === undefined) throw new Error(`${runtime} is not in package-lock.json`)
  const folder = join(runtimes, `${runtime.replace('/', '-')}-${version}`)
  const executable = join(folder, 'package', 'bin', 'bun')
  if (existsSync(executable)) return executable
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  run(['npm', 'pack', '--silent', `${runtime}@${version}`], folder)
  const archive = join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '')
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (digest !== integrity) {
    rmSync(folder, { recursive: true, force: true })
    throw new Error(`${runtime}@${version} is not what package-lock.json says: ${digest} instead of ${integrity}`)
  }
  run(['tar', '-xzf', archive], folder)
  rmSync(archive)
  return executable
}

function build(target: Target): void {
  const started = Date.now()
  const file = join(dist, `warren-${target.name}`)
  const threads = THREADS.filter((path) => existsSync(join(root, path)))
  run([
    process.execPath, 'build', ...FLAGS,
    `--target=${target.target}`,
    `--compile-executable-path=${runtimeOf(target)}`,
    `--outfile=${file}`,
    ENTRY, ...threads,
  ])
  console.log(`${file}  ${(statSync(file).size / 1024 ** 2).toFixed(0)} MB  ${Date.now() - started} ms`)
}

/** The target of the Bun that runs this; a machine may have the musl library and not live by it. */
function nativeName(): string {
  const isMusl = process.platform === 'linux' && startOf(process.execPath).includes('/ld-musl-')
  return `${process.platform}-${process.arch}${isMusl ? '-musl' : ''}`
}

/** Where an executable names its loader. */
function startOf(file: string): Buffer {
  const start = Buffer.alloc(LOADER_WITHIN_BYTES)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, start)
  } finally {
    closeSync(descriptor)
  }
  return start
}

function nativeTarget(): Target {
  const name = nativeName()
  const target = TARGETS.find((each) => each.name === name)
  if (!target) throw new Error(`There is no target ${name}; there are ${TARGETS.map((each) => each.name).join(', ')}`)
  return target
}

function wanted(words: readonly string[]): readonly Target[] {
  if (words.includes('--native')) return [nativeTarget()]
  if (words.length === 0) return TARGETS
  return words.map((word) => {
    const target = TARGETS.find(({ name }) => name === word)
    if (!target) throw new Error(`There is no target ${word}; there are ${TARGETS.map(({ name }) => name).join(', ')}`)
    return target
  })
}

mkdirSync(dist, { recursive: true })
for (const target of wanted(process.argv.slice(2))) build(target)
