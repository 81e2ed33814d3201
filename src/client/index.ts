import type { Homeserver } from '#homeserver'
import type { Page } from '#http/page.ts'
import { accountDataPage } from './account-data.ts'
import { accountPage } from './account.ts'
import { accountStatusPage } from './account-status.ts'
import { adminPage } from './admin.ts'
import { administrativeContactPage } from './administrative-contact.ts'
import { appservicePingPage } from './appservice-ping.ts'
import { capabilitiesPage } from './capabilities.ts'
import { consentPage } from './consent.ts'
import { createRoomPage } from './create-room.ts'
import { crossSigningPage } from './cross-signing.ts'
import { dehydratedDevicePage } from './dehydrated-device.ts'
import { delayedEventsPage } from './delayed-events.ts'
import { devicesPage } from './devices.ts'
import { directoryPage } from './directory.ts'
import { discoveryPage } from './discovery.ts'
import { eventContextPage } from './event-context.ts'
import { eventsPage } from './events.ts'
import { fallbackPage } from './fallback.ts'
import { filterPage } from './filter.ts'
import { initialSyncPage } from './initial-sync.ts'
import { joinedRoomsPage } from './joined-rooms.ts'
import { keyBackupPage } from './key-backup.ts'
import { keysPage } from './keys.ts'
import { loginFallbackPage } from './login-fallback.ts'
import { loginPage } from './login.ts'
import { loginTokenPage } from './login-token.ts'
import { mediaPage } from './media.ts'
import { membersPage } from './members.ts'
import { membershipPage } from './membership.ts'
import { messagesPage } from './messages.ts'
import { mutualRoomsPage } from './mutual-rooms.ts'
import { notificationsPage } from './notifications.ts'
import { openidPage } from './openid.ts'
import { presencePage } from './presence.ts'
import { profilePage } from './profile.ts'
import { publicRoomsPage } from './public-rooms.ts'
import { pushRulesPage } from './push-rules.ts'
import { pushersPage } from './pushers.ts'
import { readMarkersPage } from './read-markers.ts'
import { receiptsPage } from './receipts.ts'
import { redaction } from './redaction.ts'
import { registrationPage } from './registration.ts'
import { relationsPage } from './relations.ts'
import { reportPage } from './report.ts'
import { retentionPage } from './retention.ts'
import { roomEventPage } from './room-event.ts'
import { roomSend } from './room-send.ts'
import { roomStatePage } from './room-state.ts'
import { roomSummaryPage } from './room-summary.ts'
import { roomUpgradePage } from './room-upgrade.ts'
import { rtcPage } from './rtc.ts'
import { searchPage } from './search.ts'
import { slidingSyncPage } from './sliding-sync.ts'
import { spacesPage } from './spaces.ts'
import { ssoPage } from './sso.ts'
import { syncPage } from './sync.ts'
import { tagsPage } from './tags.ts'
import { thirdPartyPage } from './third-party.ts'
import { threadSubscriptionsPage } from './thread-subscriptions.ts'
import { threadsPage } from './threads.ts'
import { timestampToEventPage } from './timestamp-to-event.ts'
import { toDevicePage } from './to-device.ts'
import { typingPage } from './typing.ts'
import { userDirectoryPage } from './user-directory.ts'
import { voipPage } from './voip.ts'

/** Every page of the Client-Server API, in alphabetical order. */
export const clientPages = (server: Homeserver): Page[] => [
  accountDataPage(server),
  accountPage(server),
  accountStatusPage(server),
  adminPage(server),
  administrativeContactPage(server),
  appservicePingPage(server),
  capabilitiesPage(server),
  consentPage(server),
  createRoomPage(server),
  crossSigningPage(server),
  dehydratedDevicePage(server),
  delayedEventsPage(server),
  devicesPage(server),
  directoryPage(server),
  discoveryPage(server),
  eventContextPage(server),
  eventsPage(server),
  fallbackPage(server),
  filterPage(server),
  initialSyncPage(server),
  joinedRoomsPage(server),
  keyBackupPage(server),
  keysPage(server),
  loginFallbackPage(server),
  loginPage(server),
  loginTokenPage(server),
  mediaPage(server),
  membersPage(server),
  membershipPage(server),
  messagesPage(server),
  mutualRoomsPage(server),
  notificationsPage(server),
  openidPage(server),
  presencePage(server),
  profilePage(server),
  publicRoomsPage(server),
  pushRulesPage(server),
  pushersPage(server),
  readMarkersPage(server),
  receiptsPage(server),
  redaction(server),
  registrationPage(server),
  relationsPage(server),
  reportPage(server),
  retentionPage(server),
  roomEventPage(server),
  roomSend(server),
  roomStatePage(server),
  roomSummaryPage(server),
  roomUpgradePage(server),
  rtcPage(server),
  searchPage(server),
  slidingSyncPage(server),
  spacesPage(server),
  ssoPage(server),
  syncPage(server),
  tagsPage(server),
  thirdPartyPage(server),
  threadSubscriptionsPage(server),
  threadsPage(server),
  timestampToEventPage(server),
  toDevicePage(server),
  typingPage(server),
  userDirectoryPage(server),
  voipPage(server),
]
