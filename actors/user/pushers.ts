import type { Command, OfKind } from '#actors/kernel/actor.ts'
import type { DeviceId } from '#schema/identifiers.ts'
import type { Pusher, PushFact } from '#schema/journal/push.ts'
import { whyNotActive } from './account.ts'
import type { UserApply, UserDecide } from './memory.ts'

/** `appId` and `pushkey` together name a pusher of the user. */
export type PusherCommand =
  /** spec: client-server-api#post_matrixclientv3pushersset */
  | Command<'postPusher', { deviceId: DeviceId | null; pusher: Pusher }>
  | Command<'deletePusher', { appId: string; pushkey: string }>

type PusherFact = OfKind<PushFact, 'pusherSet' | 'pusherDeleted'>

export const decide = {
  postPusher(user, { deviceId, pusher }, { now }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    return { facts: [{ kind: 'pusherSet', userId: user.userId, deviceId, pusher, ts: now }], reply: undefined }
  },

  deletePusher({ userId }, { appId, pushkey }) {
    return { facts: [{ kind: 'pusherDeleted', userId, appId, pushkey }], reply: undefined }
  },
} satisfies UserDecide<PusherCommand, PusherFact>

export const apply = {
  // A pusher changes nothing the account decides by; readers find it in the store.
  pusherSet() {},
  pusherDeleted() {},
} satisfies UserApply<PusherFact>
