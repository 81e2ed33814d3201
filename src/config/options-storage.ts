import { needless, notYet, refused, served } from './option.ts'
import {
  choice, duration, flag, integer, list, mapping, maybeDuration, maybeList, maybeText, section, size, text,
} from './reading.ts'

const CACHES = 'There is nothing to size: the database and memory are bounded by themselves'

/** Database, caches, logs, media. */
export const storageOptions = {
  database: served(
    section({
      name: choice(['sqlite3', 'psycopg2'], 'sqlite3'),
      args: mapping,
      synchronous: choice(['full', 'normal'], 'full'),
      txn_limit: integer(0),
      allow_unsafe_locale: flag(false),
      data_stores: list(text('')),
    }),
    'The SQLite file (args.database); synchronous: normal spares an SD card and may lose the last second at power loss',
  ),
  databases: refused('There is one database'),
  database_path: notYet('The old name of database.args.database; write that'),
  event_cache_size: needless(CACHES),
  caches: needless(CACHES),
  synctl_cache_factor: needless(CACHES),
  synctl_cache_factors: needless(CACHES),
  background_updates: needless('Migrations run at start'),
  log_config: needless('A file of Python\'s logging; see the option log'),
  media_store_path: served(maybeText, 'The folder of uploads and downloads. Default: media in the data folder'),
  backup_media_store_path: notYet('Media are kept in one folder'),
  media_storage_providers: notYet('Media are kept in one folder', []),
  enable_media_repo: served(flag(true), 'Whether media are served at all'),
  enable_local_media_storage: notYet('Media are always kept on disk', true),
  enable_authenticated_media: served(flag(true), 'Media uploaded from now on need a login to be seen'),
  max_pending_media_uploads: served(integer(5), 'How many uploads a user may have announced and not made'),
  unused_expiration_time: served(duration(86_400_000), 'When an announced upload lapses'),
  max_upload_size: served(size(50 * 1024 ** 2), 'The largest upload'),
  media_upload_limits: served(
    list(section({ time_period: duration(0), max_size: size(0) })), 'How much a user may upload in how long',
  ),
  max_image_pixels: served(size(32 * 1024 ** 2), 'The largest image, in pixels, of which thumbnails are made'),
  remote_media_download_burst_count: served(size(500 * 1024 ** 2), 'What one address may download of other servers at once'),
  remote_media_download_per_second: served(size(87 * 1024), 'What one address may download of other servers per second'),
  prevent_media_downloads_from: served(list(text('')), 'Servers whose media are never fetched'),
  dynamic_thumbnails: served(flag(false), 'Thumbnails of any size that is asked for'),
  thumbnail_sizes: served(
    list(
      section({ width: integer(0, 1), height: integer(0, 1), method: choice(['crop', 'scale'], 'scale') }),
      [
        { width: 32, height: 32, method: 'crop' },
        { width: 96, height: 96, method: 'crop' },
        { width: 320, height: 240, method: 'scale' },
        { width: 640, height: 480, method: 'scale' },
        { width: 800, height: 600, method: 'scale' },
      ],
    ),
    'The sizes of thumbnails',
  ),
  media_retention: served(
    section({ local_media_lifetime: maybeDuration(), remote_media_lifetime: maybeDuration() }),
    'When media that nobody looks at are deleted; null: never',
  ),
  url_preview_enabled: served(flag(false), 'Whether links are looked at for a preview'),
  url_preview_ip_range_blacklist: served(maybeList(text('')), 'Networks that previews never reach'),
  url_preview_ip_range_whitelist: served(list(text('')), 'Exceptions from url_preview_ip_range_blacklist'),
  url_preview_url_blacklist: served(list(mapping), 'Links that are not looked at'),
  max_spider_size: served(size(10 * 1024 ** 2), 'The most that is read of a page for its preview'),
  url_preview_accept_language: served(list(text(''), ['en']), 'The languages that previews ask for'),
  oembed: notYet('Previews come from the page itself'),
  sentry: notYet('Errors are logged, and sent nowhere'),
  enable_metrics: served(flag(false), 'Figures for Prometheus, at /_synapse/metrics where a listener has the resource metrics'),
  metrics_flags: notYet('Only what this server itself counts is shown', {}),
  opentracing: notYet('There is no tracing', { enabled: false }),
  report_stats: needless('Nothing is ever reported to anyone'),
  report_stats_endpoint: needless('Nothing is ever reported to anyone'),
  turn_uris: served(list(text('')), 'TURN servers for calls'),
  turn_shared_secret: served(maybeText, 'The secret shared with the TURN servers'),
  turn_shared_secret_path: served(maybeText, 'The file of turn_shared_secret'),
  turn_username: served(maybeText, 'The user at the TURN servers, when there is no shared secret'),
  turn_password: served(maybeText, 'The password of turn_username'),
  turn_user_lifetime: served(duration(3_600_000), 'How long TURN credentials last'),
  turn_allow_guests: served(flag(true), 'Whether guests get TURN credentials'),
  matrix_rtc: served(section({ transports: list(mapping) }), 'Servers for calls of many (MatrixRTC)'),
}
