import { listenerOption } from './listeners.ts'
import { needless, notYet, refused, served } from './option.ts'
import { choice, duration, flag, integer, list, mapping, maybeDuration, maybeText, section, text } from './reading.ts'

/** The server as a whole: who it is, where it listens, what it shows. */
export const serverOptions = {
  server_name: served(maybeText, 'The part after the colon of user ids, such as example.org. It never changes.'),
  public_baseurl: served(maybeText, 'The address that clients use from outside, such as https://matrix.example.org/'),
  data_dir: served(maybeText, 'The folder of everything that is kept. Default: that of the database, else ./data'),
  pid_file: served(maybeText, 'Where the process id is written. Default: warren.pid in the data folder'),
  listeners: served(listenerOption, 'The sockets to listen on, and what each of them serves'),
  trusted_proxies: served(
    list(text(''), ['127.0.0.0/8', '::1/128']),
    'Addresses (or networks such as 10.0.0.0/8) whose X-Forwarded-For is believed on listeners with x_forwarded',
  ),
  log: served(
    section({
      level: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'info'),
      file: maybeText,
    }),
    'How much is logged, and where to; the default file is warren.log in the data folder',
  ),
  serve_server_wellknown: served(flag(false), 'Answer /.well-known/matrix/server with the server name and port 443'),
  extra_well_known_client_content: served(mapping, 'Further keys of /.well-known/matrix/client'),
  web_client_location: served(maybeText, 'Where / redirects to'),
  user_agent_suffix: served(maybeText, 'Appended to the User-Agent of outgoing requests'),
  admin_contact: served(maybeText, 'A URI given to users who meet a limit of this server'),
  presence: served(
    section({
      enabled: choice([true, false, 'untracked'], true),
      include_offline_users_on_sync: flag(false),
      last_active_granularity: duration(60_000),
      sync_online_timeout: duration(30_000),
      idle_timeout: duration(300_000),
    }),
    'Whether and how it is shown who is online',
  ),
  use_presence: served(maybeFlag(), 'The old name of presence.enabled'),
  require_auth_for_profile_requests: served(flag(false), 'Profiles only for those who are logged in'),
  limit_profile_requests_to_users_who_share_rooms: served(flag(false), 'Profiles only for those who share a room'),
  include_profile_data_on_invite: served(flag(true), 'Name and avatar go into invites'),
  allow_public_rooms_without_auth: served(flag(false), 'The room directory is shown without a login'),
  allow_public_rooms_over_federation: served(flag(false), 'The room directory is shown to other servers'),
  default_room_version: served(text('12'), 'The version of new rooms'),
  filter_timeline_limit: served(integer(100, -1), 'The most timeline events a client may ask for; -1: any number'),
  block_non_admin_invites: served(flag(false), 'Only admins may invite users of this server'),
  enable_search: served(flag(true), 'Whether messages can be searched'),
  ip_range_blacklist: served(list(text(''), privateNetworks()), 'Networks that outgoing requests never reach'),
  ip_range_whitelist: served(list(text('')), 'Exceptions from ip_range_blacklist'),
  max_event_delay_duration: served(maybeDuration(86_400_000), 'The longest delay of a delayed event; null: none are taken'),
  delete_stale_devices_after: served(maybeDuration(), 'When devices that nobody uses are logged out; null: never'),
  dummy_events_threshold: notYet('No dummy events are sent'),
  cleanup_extremities_with_dummy_events: notYet('No dummy events are sent', true),
  user_types: notYet('Accounts have no extra types'),
  http_proxy: notYet('Outgoing requests go directly'),
  https_proxy: notYet('Outgoing requests go directly'),
  no_proxy_hosts: notYet('Outgoing requests go directly'),
  modules: refused('Extension modules are Python and cannot run here; without them what they check would pass', []),
  matrix_authentication_service: refused('Logins cannot be handed to another service', { enabled: false }),
  daemonize: needless('`warren start` runs it in the background, `warren serve` in the foreground'),
  print_pidfile: needless('`warren status` says it'),
  use_frozen_dicts: needless('A debugging aid of Python'),
  soft_file_limit: needless('The limit of open files is raised as far as it goes'),
  gc_thresholds: needless('A setting of Python'),
  gc_min_interval: needless('A setting of Python'),
  manhole: needless('`warren top` looks inside a running server'),
  manhole_settings: needless('`warren top` looks inside a running server'),
  no_redirect_stdio: needless('`warren serve` stays on the terminal'),
  track_memory_usage: needless('A debugging aid of Python'),
}

function maybeFlag() {
  return choice([true, false, null], null)
}

/** Private, local, documentation and multicast networks. spec: RFC 6890 */
function privateNetworks(): readonly string[] {
  return [
    '127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '192.0.0.0/24',
    '169.254.0.0/16', '192.88.99.0/24', '198.18.0.0/15', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24',
    '224.0.0.0/4', '::1/128', 'fe80::/10', 'fc00::/7', '2001:db8::/32', 'ff00::/8', 'fec0::/10',
  ]
}
