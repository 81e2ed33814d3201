import { notYet, served, type Option } from './option.ts'
import { number, section, type Camel, type Reading, type ValueOf } from './reading.ts'

/** So many per second in the long run, and so many at once. */
export type RateLimit = Readonly<{ perSecond: number; burstCount: number }>

const rate = (perSecond: number, burstCount: number): Reading<RateLimit> =>
  section({ per_second: number(perSecond), burst_count: number(burstCount) })

/** How fast things may be done. All of them begin with `rc_`, in the configuration they stand under `rc`. */
export const rateOptions = {
  rc_message: served(rate(0.2, 10), 'Events sent by a user'),
  rc_registration: served(rate(0.17, 3), 'Registrations from an address'),
  rc_registration_token_validity: served(rate(0.1, 5), 'Checks of registration tokens from an address'),
  rc_login: served(
    section({ address: rate(0.003, 5), account: rate(0.003, 5), failed_attempts: rate(0.17, 3) }),
    'Logins from an address, of an account, and failed ones of an account',
  ),
  rc_admin_redaction: served(rate(-1, -1), 'Redactions by admins of a room; default: as rc_message'),
  rc_joins: served(section({ local: rate(0.1, 10), remote: rate(0.01, 10) }), 'Joins of a user, by kind of room'),
  rc_joins_per_room: served(rate(1, 10), 'Joins into a room'),
  rc_3pid_validation: served(rate(0.003, 5), 'Mails or texts to prove an address'),
  rc_invites: served(
    section({ per_room: rate(0.3, 10), per_user: rate(0.003, 5), per_issuer: rate(0.3, 10) }),
    'Invites by room, by who is invited, by who invites',
  ),
  rc_third_party_invite: served(rate(0.0025, 5), 'Invites by mail address or number'),
  rc_media_create: served(rate(10, 50), 'Announced uploads of a user'),
  rc_federation: served(
    section({
      window_size: number(1000),
      sleep_limit: number(10),
      sleep_delay: number(500),
      reject_limit: number(50),
      concurrent: number(3),
    }),
    'Requests of another server: after sleep_limit in window_size (ms) they wait sleep_delay (ms)',
  ),
  rc_presence: served(section({ per_user: rate(0.1, 1) }), 'Changes of presence'),
  rc_delayed_event_mgmt: served(rate(1, 5), 'Changes of delayed events'),
  rc_reports: served(rate(1, 5), 'Reports of events, rooms and users'),
  rc_key_requests: served(rate(20, 100), 'Requests for the keys of rooms that a device sends to other users; more are dropped'),
  rc_room_creation: served(rate(0.016, 10), 'New rooms of a user'),
  rc_user_directory: served(rate(0.016, 200), 'Searches in the user directory'),
}

export const retiredRateOptions = {
  rc_messages_per_second: notYet('The old form of rc_message; write that'),
  rc_message_burst_count: notYet('The old form of rc_message; write that'),
  federation_rc_window_size: notYet('The old form of rc_federation; write that'),
  federation_rc_sleep_limit: notYet('The old form of rc_federation; write that'),
  federation_rc_sleep_delay: notYet('The old form of rc_federation; write that'),
  federation_rc_reject_limit: notYet('The old form of rc_federation; write that'),
  federation_rc_concurrent: notYet('The old form of rc_federation; write that'),
}

type Rates = {
  readonly [K in keyof typeof rateOptions as K extends `rc_${infer Rest}` ? Camel<Rest> : never]:
    (typeof rateOptions)[K] extends Option<infer R> ? ValueOf<R> : never
}

/** `presence` has but one limit, so it stands there without its `perUser`. */
export type RateLimits = Omit<Rates, 'presence'> & { readonly presence: RateLimit }
