import { needless, notYet, refused } from './option.ts'

const ONE_PROCESS = 'One process does everything; there are no workers'
const OLD_LISTENERS = 'The old form of listeners; write that'

/** Options of workers, and names that Synapse has given up and old files still carry. */
export const retiredOptions = {
  worker_replication_secret: needless(ONE_PROCESS),
  worker_replication_secret_path: needless(ONE_PROCESS),
  start_pushers: needless(ONE_PROCESS),
  pusher_instances: needless(ONE_PROCESS),
  federation_sender_instances: needless(ONE_PROCESS),
  instance_map: needless(ONE_PROCESS),
  stream_writers: needless(ONE_PROCESS),
  outbound_federation_restricted_to: needless(ONE_PROCESS),
  run_background_tasks_on: needless(ONE_PROCESS),
  update_user_directory_from_worker: needless(ONE_PROCESS),
  notify_appservices_from_worker: needless(ONE_PROCESS),
  media_instance_running_background_jobs: needless(ONE_PROCESS),
  redis: needless(ONE_PROCESS),
  worker_app: refused('This is the file of a worker; give the main configuration'),
  worker_name: needless(ONE_PROCESS),
  worker_listeners: needless(ONE_PROCESS),
  worker_manhole: needless(ONE_PROCESS),
  worker_daemonize: needless(ONE_PROCESS),
  worker_pid_file: needless(ONE_PROCESS),
  worker_log_config: needless(ONE_PROCESS),
  update_user_directory: needless(ONE_PROCESS),
  notify_appservices: needless(ONE_PROCESS),
  replication_torture_level: needless(ONE_PROCESS),
  no_tls: notYet(OLD_LISTENERS),
  bind_port: notYet(OLD_LISTENERS),
  bind_host: notYet(OLD_LISTENERS),
  unsecure_port: notYet(OLD_LISTENERS),
  gzip_responses: notYet(OLD_LISTENERS),
  metrics_port: notYet('The old form of a listener of type metrics; write that'),
  metrics_bind_host: notYet('The old form of a listener of type metrics; write that'),
  restrict_public_rooms_to_local_users: refused('The old form of allow_public_rooms_without_auth; write that', false),
  spam_checker: refused('Spam checkers are Python and cannot run here; without them what they check would pass', []),
  third_party_event_rules: refused('Event rules are Python and cannot run here; what they check would pass'),
  presence_router: notYet('Presence routers are Python and cannot run here'),
  dont_notify_new_devices_for: notYet('A setting that nothing reads any more'),
  use_account_validity_in_account_status: notYet('Accounts do not expire', false),
}
