import type { RoomDetails, RoomRow } from '#admin/door.ts'
import type { OpenServer } from '#process/serve.ts'

import { CONFIG_FLAGS, configFor } from './configuration.ts'
import { EXIT_FINE, tell, type Command } from './command.ts'
import { columns } from './format.ts'
import { withServer } from './server.ts'
import { PAGE_FLAGS, pageQuery } from './user.ts'

const yesNo = (claim: boolean): string => (claim ? 'yes' : 'no')

/** The commands of rooms. */
export const roomCommands = (open: OpenServer): readonly Command[] => [
  {
    name: 'room list',
    summary: 'list the rooms that this server knows',
    flags: [...CONFIG_FLAGS, ...PAGE_FLAGS],
    async run(invocation) {
      const target = `/rooms?${pageQuery(invocation)}`
      const answer = await withServer(configFor(invocation), { open, terminal: invocation.terminal, mustExist: true },
        (door) => door.ask('GET', target)) as { rooms: readonly RoomRow[]; total: number }
      const rows = answer.rooms.map(({ roomId, name, canonicalAlias, joinedMembers, joinedLocalMembers, version }) =>
        [roomId, name ?? '', canonicalAlias ?? '', String(joinedMembers), String(joinedLocalMembers), version])
      tell(invocation, answer, [
        ...columns(['room', 'name', 'alias', ' members', ' ours', 'version'], rows),
        `${answer.rooms.length} of ${answer.total}`,
      ])
      return EXIT_FINE
    },
  },
  {
    name: 'room show',
    words: "'ROOM_ID'",
    count: [1, 1],
    summary: 'show a room (quote its id: the shell has its own use for !)',
    flags: CONFIG_FLAGS,
    async run(invocation) {
      const target = `/rooms/${encodeURIComponent(invocation.words[0] ?? '')}`
      const room = await withServer(configFor(invocation), { open, terminal: invocation.terminal, mustExist: true },
        (door) => door.ask('GET', target)) as RoomDetails
      tell(invocation, room, [
        room.roomId,
        `name: ${room.name ?? 'none'}`,
        `alias: ${room.canonicalAlias ?? 'none'}`,
        `topic: ${room.topic ?? 'none'}`,
        `version: ${room.version}, made by ${room.creator ?? 'someone unknown'}`,
        `members: ${room.joinedMembers}, of this server ${room.joinedLocalMembers}`,
        `who may join: ${room.joinRule ?? 'unknown'}; who sees the past: ${room.historyVisibility ?? 'unknown'}`,
        `encrypted: ${yesNo(room.isEncrypted)}, in the directory: ${yesNo(room.isPublic)}, open to other servers: ${yesNo(room.isFederated)}`,
        `events at the front: ${room.forwardExtremities}, in the state: ${room.stateEvents}`,
      ])
      return EXIT_FINE
    },
  },
]
