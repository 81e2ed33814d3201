import type { UserDetails, UserRow } from '#admin/door.ts'
import type { OpenServer } from '#process/serve.ts'

import { CONFIG_FLAGS, configFor } from './configuration.ts'
import { EXIT_FINE, isFlagSet, numberFlag, tell, textFlag, type Command, type Flag, type Invocation } from './command.ts'
import { columns, date } from './format.ts'
import { madeUpPassword, PASSWORD_FLAGS, passwordFromFlags } from './password.ts'
import { withServer, type ControlDoor } from './server.ts'

export const PAGE_FLAGS: readonly Flag[] = [
  { long: 'limit', value: 'N', about: 'how many to show (100)' },
  { long: 'from', value: 'N', about: 'how many to pass over (0)' },
  { long: 'search', value: 'TEXT', about: 'only those with this in the name' },
]

export const pageQuery = (invocation: Invocation): URLSearchParams => new URLSearchParams({
  limit: String(numberFlag(invocation, 'limit', 100, 1)),
  from: String(numberFlag(invocation, 'from', 0)),
  ...(textFlag(invocation, 'search') === undefined ? {} : { search: textFlag(invocation, 'search') ?? '' }),
})

type Work = (invocation: Invocation, door: ControlDoor, user: string) => Promise<void>

const userPath = (user: string, rest = ''): string => `/users/${encodeURIComponent(user)}${rest}`

/** The commands of accounts. With a server that runs they go over its control socket, else they open its data. */
export function userCommands(open: OpenServer): readonly Command[] {
  const command = (
    name: string,
    summary: string,
    more: Readonly<{ words?: string; flags?: readonly Flag[]; mustExist?: boolean }>,
    work: Work,
  ): Command => ({
    name: `user ${name}`,
    summary,
    ...(more.words === undefined ? {} : { words: more.words }),
    count: more.words === undefined ? [0, 0] : [1, 1],
    flags: [...CONFIG_FLAGS, ...(more.flags ?? [])],
    async run(invocation) {
      const config = configFor(invocation)
      const { terminal } = invocation
      const mustExist = more.mustExist ?? true
      await withServer(config, { open, terminal, mustExist }, (door) => work(invocation, door, invocation.words[0] ?? ''))
      return EXIT_FINE
    },
  })
  return [
    command('create', 'make an account; without a password one is made up and shown', {
      words: 'NAME',
      mustExist: false,
      flags: [
        ...PASSWORD_FLAGS,
        { long: 'no-password', about: 'nobody can log in with a password' },
        { long: 'admin', short: 'a', about: 'an admin' },
        { long: 'displayname', value: 'NAME', about: 'the name that others see' },
      ],
    }, create),
    command('list', 'list accounts', {
      flags: [...PAGE_FLAGS, { long: 'deactivated', about: 'the deactivated ones too' }],
    }, list),
    command('show', 'show an account and its devices', { words: 'NAME' }, show),
    command('reset-password', 'set a new password; without one it is made up and shown', {
      words: 'NAME',
      flags: [...PASSWORD_FLAGS, { long: 'keep-devices', about: 'do not log the user out' }],
    }, resetPassword),
    command('deactivate', 'end an account for good; its name is never given again', {
      words: 'NAME',
      flags: [{ long: 'erase', about: 'and hide what it wrote from those who come later' }],
    }, async (invocation, door, user) => {
      await door.ask('POST', userPath(user, '/deactivate'), { erase: isFlagSet(invocation, 'erase') })
      tell(invocation, { user, deactivated: true }, [`${user} is deactivated`])
    }),
    command('promote', 'make a user an admin', {
      words: 'NAME',
      flags: [{ long: 'demote', about: 'the other way round: no longer an admin' }],
    }, async (invocation, door, user) => {
      const admin = !isFlagSet(invocation, 'demote')
      await door.ask('POST', userPath(user, '/admin'), { admin })
      tell(invocation, { user, admin }, [`${user} is ${admin ? 'now' : 'no longer'} an admin`])
    }),
  ]
}

async function create(invocation: Invocation, door: ControlDoor, user: string): Promise<void> {
  const given = await passwordFromFlags(invocation)
  const password = isFlagSet(invocation, 'no-password') ? null : (given ?? madeUpPassword())
  const displayname = textFlag(invocation, 'displayname') ?? null
  const admin = isFlagSet(invocation, 'admin')
  const { userId } = (await door.ask('POST', '/users', { localpart: user, password, admin, displayname })) as { userId: string }
  const shown = given === null && password !== null ? { password } : {}
  tell(invocation, { userId, admin, ...shown }, [
    `Made ${userId}${admin ? ', an admin' : ''}`,
    ...('password' in shown ? [`The password is ${password}`] : []),
  ])
}

async function list(invocation: Invocation, door: ControlDoor): Promise<void> {
  const query = pageQuery(invocation)
  if (isFlagSet(invocation, 'deactivated')) query.set('deactivated', 'true')
  const answer = (await door.ask('GET', `/users?${query}`)) as { users: readonly UserRow[]; total: number }
  const rows = answer.users.map(({ userId, displayname, isAdmin, isDeactivated, createdTs }) =>
    [userId, displayname ?? '', isAdmin ? 'admin' : isDeactivated ? 'deactivated' : '', date(createdTs)])
  tell(invocation, answer, [
    ...columns(['user', 'name', '', 'since'], rows),
    `${answer.users.length} of ${answer.total}`,
  ])
}

async function show(invocation: Invocation, door: ControlDoor, user: string): Promise<void> {
  const details = (await door.ask('GET', userPath(user))) as UserDetails
  tell(invocation, details, [
    details.userId,
    `name: ${details.displayname ?? 'none'}`,
    `standing: ${details.isDeactivated ? 'deactivated' : details.isAdmin ? 'admin' : 'user'}`,
    `since: ${date(details.createdTs)}`,
    `rooms: ${details.joinedRooms}`,
    ...details.devices.map(({ deviceId, displayName, lastSeenTs }) =>
      `device ${deviceId}: ${displayName ?? 'no name'}, seen ${date(lastSeenTs)}`),
  ])
}

async function resetPassword(invocation: Invocation, door: ControlDoor, user: string): Promise<void> {
  const given = await passwordFromFlags(invocation)
  const password = given ?? madeUpPassword()
  const logoutDevices = !isFlagSet(invocation, 'keep-devices')
  await door.ask('POST', userPath(user, '/password'), { password, logout_devices: logoutDevices })
  tell(invocation, { user, ...(given === null ? { password } : {}) }, [
    `${user} has a new password${logoutDevices ? ' and is logged out everywhere' : ''}`,
    ...(given === null ? [`The password is ${password}`] : []),
  ])
}
