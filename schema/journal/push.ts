import type { JsonObject } from '#schema/pdu.ts'
import type { DeviceId, UserId } from '#schema/identifiers.ts'
import type { PushRuleChoices } from '#schema/push-rules.ts'

/** What an account has decided about notifications, in the past tense. Rows of the journal: add kinds, never change one. */

/** All that the user chose, as it stands now. */
export type PushRulesChanged = Readonly<{ kind: 'pushRulesChanged'; userId: UserId; choices: PushRuleChoices }>

/** spec: client-server-api#post_matrixclientv3pushersset */
export type Pusher = Readonly<{
  /** Only `http` so far. */
  kind: string
  appId: string
  pushkey: string
  appDisplayName: string
  deviceDisplayName: string
  profileTag: string | null
  lang: string
  data: JsonObject
  /** MSC3881: a pusher that is switched off stays, and nothing is sent to it. */
  isEnabled: boolean
}>

/** A pusher was made, or changed if the user had one with this `appId` and `pushkey`. */
export type PusherSet = Readonly<{
  kind: 'pusherSet'
  userId: UserId
  /** From where it was set; with the device it goes. */
  deviceId: DeviceId | null
  pusher: Pusher
  ts: number
}>

export type PusherDeleted = Readonly<{ kind: 'pusherDeleted'; userId: UserId; appId: string; pushkey: string }>

export type PushFact = PushRulesChanged | PusherSet | PusherDeleted
