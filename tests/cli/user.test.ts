import { afterAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { commandLine } from '#harness/command-line.ts'
import { lockDataFolder } from '#process/lock.ts'

const { folder, door, opened, run, remove } = commandLine()
afterAll(remove)

/** On a stopped server, whose data are in this folder. */
const here = (...words: string[]) => run([...words, '--data-directory', folder, '-H', 'a.example'])

describe('accounts of a stopped server', () => {
  test('cannot be listed where there was never a server', async () => {
    expect(await here('user', 'list')).toEqual({
      code: 1, out: [], error: [`There is no server in ${folder}`, 'Start one with `warren start`, or name its configuration with -c FILE'],
    })
    expect(opened).toEqual([])
  })

  test('are made with a password that is made up and shown', async () => {
    const { code, out } = await here('user', 'create', 'alice', '--admin', '--displayname', 'Alice')
    expect([code, out[0]]).toEqual([0, 'Made @alice:a.example, an admin'])
    const { password, displayname } = door.users.get('@alice:a.example') ?? {}
    expect([out[1], displayname]).toEqual([`The password is ${password}`, 'Alice'])
    expect(password).toMatch(/^[A-Za-z2-9]{20}$/)
    expect(opened).toEqual(['a.example', 'closed'])
  })

  test('are made with a password of the admin, or with none', async () => {
    const file = join(folder, 'password')
    writeFileSync(file, 'from a file\nand more\n')
    expect((await here('user', 'create', 'bob', '--password-file', file)).out).toEqual(['Made @bob:a.example'])
    await here('user', 'create', 'carol', '--no-password')
    expect([door.users.get('@bob:a.example')?.password, door.users.get('@carol:a.example')?.password]).toEqual(['from a file', null])
  })

  test('are listed, shown, changed and ended', async () => {
    writeFileSync(join(folder, 'warren.db'), '')
    expect((await here('user', 'list')).out).toEqual([
      'user              name          since',
      '@alice:a.example  Alice  admin  1970-01-01 00:00',
      '@bob:a.example                  1970-01-01 00:00',
      '@carol:a.example                1970-01-01 00:00',
      '3 of 3',
    ])
    expect((await here('user', 'show', 'alice')).out).toEqual([
      '@alice:a.example', 'name: Alice', 'standing: admin', 'since: 1970-01-01 00:00', 'rooms: 1', 'device DEVICE: laptop, seen 1970-01-01 00:00',
    ])
    expect((await here('user', 'promote', 'bob')).out).toEqual(['bob is now an admin'])
    expect((await here('user', 'promote', 'bob', '--demote')).out).toEqual(['bob is no longer an admin'])
    expect((await here('user', 'reset-password', 'bob', '-p', 'changed')).out).toEqual(['bob has a new password and is logged out everywhere'])
    expect((await here('user', 'deactivate', 'bob')).out).toEqual(['bob is deactivated'])
    expect(door.users.get('@bob:a.example')).toMatchObject({ isAdmin: false, password: 'changed', isDeactivated: true })
  })

  test('refusals are said in the words of the server', async () => {
    expect(await here('user', 'create', 'alice')).toEqual({ code: 1, out: [], error: ['@alice:a.example exists already'] })
    expect(await here('user', 'show', 'nobody')).toEqual({ code: 1, out: [], error: ['There is no user @nobody:a.example'] })
  })

  test('answers are JSON when that is asked for', async () => {
    const { out } = await here('user', 'create', 'dave', '-p', 'secret words', '--json')
    expect(out.map((line) => JSON.parse(line))).toEqual([{ userId: '@dave:a.example', admin: false }])
  })

  test('wait for a server that holds the data and does not answer', async () => {
    const lock = lockDataFolder(folder)
    const { code, error } = await here('user', 'list')
    lock.release()
    expect([code, error[0]]).toEqual([1, `${folder} is in use, and it does not answer: it starts, stops or hangs`])
  })
})

describe('rooms of a stopped server', () => {
  test('are listed and shown', async () => {
    expect((await here('room', 'list')).out).toEqual([
      'room            name     alias  members  ours  version',
      '!den:a.example  The den               3     1  12',
      '1 of 1',
    ])
    expect((await here('room', 'show', '!den:a.example')).out).toContain('members: 3, of this server 1')
    expect((await here('room', 'show', '!attic:a.example')).error).toEqual(['There is no room !attic:a.example'])
  })

  test('top needs a server that runs', async () => {
    expect(await here('top')).toEqual({ code: 1, out: [], error: ['The server does not run', 'Start it with: warren start'] })
  })
})
