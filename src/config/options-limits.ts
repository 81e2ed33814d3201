import { consentSection } from './consent.ts'
import { needless, notYet, refused, served } from './option.ts'
import {
  choice, duration, flag, integer, list, mapping, maybeDuration, maybeList, maybeSize, maybeText, number, orNull, section, text,
} from './reading.ts'

const WEEK_MS = 604_800_000

/** Email, blocking, limits and retention. */
export const limitOptions = {
  email: notYet('No mail is sent'),
  templates: notYet('Pages and mails cannot be changed'),
  hs_disabled: served(flag(false), 'Refuse every request of a user'),
  hs_disabled_message: served(text('This server is closed'), 'What is said while hs_disabled is set'),
  limit_usage_by_mau: served(flag(false), 'Whether no more users may be active in a month than max_mau_value'),
  max_mau_value: served(integer(0), 'How many users may be active in a month, where limit_usage_by_mau is set'),
  mau_trial_days: served(number(0), 'How many days a new account does not count as active'),
  mau_appservice_trial_days: notYet('Accounts of application services do not count by days of their own', {}),
  mau_limit_alerting: notYet('Nobody is told by a notice that the limit of active users is reached', false),
  mau_stats_only: served(flag(false), 'Count the active users (warren status) though nobody is kept out'),
  mau_limit_reserved_threepids: notYet('No account has a mail address or number by which a place could be kept for it', []),
  server_context: notYet('No statistics are reported to anyone'),
  limit_remote_rooms: served(
    section({
      enabled: flag(false),
      complexity: number(1),
      complexity_error: text('This room is too large for this server to join'),
      admins_can_join: flag(false),
    }),
    'Refuse to join rooms of other servers that are too large',
  ),
  require_membership_for_aliases: served(flag(true), 'Only members of a room may give it an alias'),
  allow_per_room_profiles: served(flag(true), 'Users may have another name or avatar in a room'),
  max_avatar_size: served(maybeSize, 'The largest image that may become an avatar'),
  allowed_avatar_mimetypes: served(maybeList(text('')), 'The kinds of image that may become an avatar'),
  redaction_retention_period: served(maybeDuration(WEEK_MS), 'How long moderators can see what redacted events said; null: for ever'),
  forgotten_room_retention_period: served(maybeDuration(), 'When rooms that every local user forgot are purged'),
  user_ips_max_age: served(maybeDuration(4 * WEEK_MS), 'How long it is kept from where a user came; null: for ever'),
  request_token_inhibit_3pid_errors: served(flag(false), 'Do not say whether an address is in use'),
  next_link_domain_whitelist: refused('next_link cannot be limited'),
  retention: served(
    section({
      enabled: flag(false),
      default_policy: section({ min_lifetime: maybeDuration(), max_lifetime: maybeDuration() }),
      allowed_lifetime_min: maybeDuration(),
      allowed_lifetime_max: maybeDuration(),
      purge_jobs: list(section({
        shortest_max_lifetime: maybeDuration(),
        longest_max_lifetime: maybeDuration(),
        interval: duration(86_400_000),
      })),
    }),
    'How long messages are kept. What is too old goes within minutes, so purge_jobs has nothing to say',
  ),
  enable_ephemeral_messages: served(flag(false), 'Whether messages end at the time that their sender has set'),
  account_validity: refused('Accounts do not expire', { enabled: false }),
  redact_content: needless('Redacted content always goes at once from what clients see'),

  push: served(
    section({
      enabled: flag(true),
      include_content: flag(true),
      group_unread_count_by_room: flag(true),
      jitter_delay: duration(0),
    }),
    'What is sent to push gateways',
  ),
  encryption_enabled_by_default_for_room_type: served(
    choice(['off', 'all', 'invite', false], 'off'), 'Which new rooms are encrypted: all, invite (only private ones), off',
  ),
  user_directory: served(
    section({
      enabled: flag(true),
      search_all_users: flag(false),
      prefer_local_users: flag(false),
      exclude_remote_users: flag(false),
      show_locked_users: flag(false),
    }),
    'Who is found in the user directory',
  ),
  user_consent: served(consentSection, 'Terms that users are asked to accept; without version there are none'),
  stats: notYet('Statistics are counted when they are asked for', { enabled: true }),
  server_notices: served(
    orNull(section({
      system_mxid_localpart: maybeText,
      system_mxid_display_name: text('Notices'),
      system_mxid_avatar_url: maybeText,
      room_name: text('Server Notices'),
      room_avatar_url: maybeText,
      room_topic: maybeText,
      auto_join: flag(false),
    })),
    'Who sends notices of the server to its users; without system_mxid_localpart there are none',
  ),
  enable_room_list_search: served(flag(true), 'Whether the room directory can be searched'),
  alias_creation_rules: served(maybeList(rule()), 'Who may create which alias; the first rule that fits decides'),
  room_list_publication_rules: served(
    maybeList(rule()), 'Who may publish which room in the directory; without rules only admins may',
  ),
  default_power_level_content_override: served(
    section({ private_chat: mapping, trusted_private_chat: mapping, public_chat: mapping }),
    'Power levels of new rooms that differ from the usual ones, by preset',
  ),
  forget_rooms_on_leave: served(flag(false), 'Who leaves a room forgets it'),
  exclude_rooms_from_sync: served(list(text('')), 'Rooms that are never shown in /sync'),
  exclude_rooms_from_presence: served(list(text('')), 'Rooms whose members do not see each other online'),
  auto_accept_invites: served(
    section({
      enabled: flag(false),
      only_for_direct_messages: flag(false),
      only_from_local_users: flag(false),
      worker_to_run_on: maybeText,
    }),
    'Which invites are accepted without asking',
  ),
  room_prejoin_state: served(
    section({ disable_default_event_types: flag(false), additional_event_types: list(typeAndKey()) }),
    'What is shown of a room to those who are invited to it or knock',
  ),
  room_invite_state_types: notYet('The old form of room_prejoin_state; write that'),
}

/** Globs, and whether what fits them all is allowed. */
function rule() {
  return section({
    user_id: text('*'),
    alias: text('*'),
    room_id: text('*'),
    action: choice(['allow', 'deny'], 'allow'),
  })
}

/** `m.room.name`, or `[m.room.member, "@alice:a.example"]`; as a list of a type and perhaps a state key. */
function typeAndKey() {
  return list(text(''))
}
