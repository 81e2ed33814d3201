import { expect, test } from 'bun:test'
import { join } from 'node:path'

const root = join(import.meta.dir, '..', '..')

test('the map of the actors says what the source says (bring it up to date with: bun scripts/flow.ts)', async () => {
  const child = Bun.spawn([process.execPath, 'scripts/flow.ts', '--print'], { cwd: root, stdout: 'pipe' })
  expect((await new Response(child.stdout).text()).trimEnd()).toBe((await Bun.file(join(root, 'actors', 'README.md')).text()).trimEnd())
})
