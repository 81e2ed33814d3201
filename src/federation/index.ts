import type { Homeserver } from '#homeserver'
import type { Page } from '#http/page.ts'
import { openidPage } from './openid.ts'
import { versionPage } from './version.ts'

/** Every page of the Server-Server API, in alphabetical order. */
export const federationPages = (server: Homeserver): Page[] => [openidPage(server), versionPage(server)]
