import type { AliasCommand } from '#actors/alias/alias.ts'
import type { DeviceCommand } from '#actors/device/device.ts'
import type { Address } from '#actors/kernel/actor.ts'
import type { RegistrationCommand } from '#actors/registration/registration.ts'
import type { RoomCommand } from '#actors/room/room.ts'
import type { UserCommand } from '#actors/user/user.ts'
import type { DeviceId, RoomAlias, RoomId, UserId } from '#schema/identifiers.ts'

export const roomAt = (roomId: RoomId): Address<RoomCommand> => ({ kind: 'room', id: roomId })

/** Local accounts only: users of other servers are rows. */
export const userAt = (userId: UserId): Address<UserCommand> => ({ kind: 'user', id: userId })

export const deviceAt = (userId: UserId, deviceId: DeviceId): Address<DeviceCommand> =>
  ({ kind: 'device', id: `${userId}/${deviceId}` })

export const aliasAt = (alias: RoomAlias): Address<AliasCommand> => ({ kind: 'alias', id: alias })

export const registrationAt = (): Address<RegistrationCommand> => ({ kind: 'registration', id: 'registration' })
