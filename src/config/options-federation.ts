import { needless, notYet, refused, served } from './option.ts'
import { choice, duration, flag, integer, list, mapping, maybeList, maybeText, number, section, text } from './reading.ts'

/** Other servers: certificates, keys, who is spoken to, and how long it is tried. */
export const federationOptions = {
  tls_certificate_path: served(maybeText, 'The certificate (PEM) of listeners with tls'),
  tls_private_key_path: served(maybeText, 'The private key (PEM) of listeners with tls'),
  federation_verify_certificates: served(flag(true), 'Whether certificates of other servers are checked'),
  federation_client_minimum_tls_version: served(
    choice(['1', '1.1', '1.2', '1.3'], '1.2'), 'The oldest TLS that is spoken with other servers',
  ),
  federation_certificate_verification_whitelist: served(list(text('')), 'Servers (globs) whose certificate is not checked'),
  federation_custom_ca_list: served(list(text('')), 'Files of authorities (PEM) to trust instead of the usual ones'),
  use_insecure_ssl_client_just_for_testing_do_not_use: served(
    flag(false), 'Check no certificate of anything but other servers; for tests only',
  ),
  federation_domain_whitelist: served(maybeList(text('')), 'The only servers to speak with; an empty list: none'),
  federation_whitelist_endpoint_enabled: notYet('The list of allowed servers is not published', false),
  federation_metrics_domains: notYet('There are no metrics of federation', []),
  allow_profile_lookup_over_federation: served(flag(true), 'Other servers may ask for profiles'),
  allow_device_name_lookup_over_federation: served(flag(false), 'Other servers are told the names of devices'),
  federation: served(
    section({
      client_timeout: duration(60_000),
      max_short_retry_delay: duration(2_000),
      max_long_retry_delay: duration(60_000),
      max_short_retries: integer(3),
      max_long_retries: integer(10),
      destination_min_retry_interval: duration(600_000),
      destination_retry_multiplier: number(2),
      destination_max_retry_interval: duration(604_800_000),
    }),
    'How long other servers are tried, and how they are left alone when they do not answer',
  ),
  federation_ip_range_blacklist: served(maybeList(text('')), 'The old name of ip_range_blacklist, for other servers'),
  send_federation: served(flag(true), 'Whether events are sent to other servers'),
  signing_key_path: served(maybeText, 'The file of the key that signs events; made at the first start'),
  old_signing_keys: served(mapping, 'Keys that were used before, each with key and expired_ts'),
  key_refresh_interval: served(duration(86_400_000), 'How long others may keep our key before they ask again'),
  trusted_key_servers: served(
    list(
      section({
        server_name: text(''),
        verify_keys: mapping,
        accept_keys_insecurely: flag(false),
      }),
      [{ serverName: 'matrix.org', verifyKeys: {}, acceptKeysInsecurely: false }],
    ),
    'Servers that are asked for the keys of servers that do not answer',
  ),
  suppress_key_server_warning: needless('There is no such warning'),
  key_server_signing_keys_path: notYet('Keys of others are countersigned with the one signing key'),
  app_service_config_files: served(list(text('')), 'Files of the application services (bridges) of this server'),
  use_appservice_legacy_authorization: notYet('Application services get their token in a header', false),
  track_puppeted_user_ips: notYet('Where puppeted users come from is not kept', false),
  track_appservice_user_ips: notYet('Where users of application services come from is not kept', false),
  macaroon_secret_key: needless('Tokens are random and kept as hashes; no secret makes them'),
  macaroon_secret_key_path: needless('Tokens are random and kept as hashes; no secret makes them'),
  form_secret: served(maybeText, 'The secret in links to the terms of user_consent. Default: one is made'),
  form_secret_path: served(maybeText, 'The file of form_secret; made when missing'),
  federation_rr_transactions_per_room_per_second: notYet('Read receipts go out with the next transaction'),
  perspectives: refused('The old form of trusted_key_servers; write that'),
}
