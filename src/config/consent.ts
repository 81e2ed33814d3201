import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { parseTemplate } from '#core/page-template.ts'

import { complain, flag, mapping, maybeText, section, text, type Report, type SectionOf } from './reading.ts'

const keys = {
  template_dir: maybeText,
  version: maybeText,
  policy_name: text('Privacy Policy'),
  require_at_registration: flag(false),
  block_events_error: maybeText,
  server_notice_content: mapping,
  send_server_notice_to_guests: flag(false),
}

export const consentSection = section(keys)
/** Off while `version` is null. */
export type Consent = SectionOf<typeof keys>

/** The one language that the reference server looks for. */
export const POLICY_LANGUAGE = 'en'
/** The page that is shown to who has just accepted. */
export const ACCEPTED_PAGE = 'success'

/** A version is the name of a file and goes into addresses. */
const VERSION = /^[\w.-]+$/

/** The file of a policy's page; undefined for what cannot be a version. */
export const policyFile = ({ templateDir }: Consent, version: string): string | undefined =>
  templateDir !== null && VERSION.test(version) ? join(templateDir, POLICY_LANGUAGE, `${version}.html`) : undefined

/** What is off stays as it is; what is on is complete, and its pages are there and can be read. */
export function settleConsent(consent: Consent, report: Report): Consent {
  if (consent.version === null) return consent
  const settled = { ...consent, templateDir: resolve(consent.templateDir ?? 'privacy_policy_templates') }
  for (const page of [consent.version, ACCEPTED_PAGE]) checkPage(settled, page, report)
  if (Object.keys(consent.serverNoticeContent).length > 0 || consent.sendServerNoticeToGuests)
    complain(report, 'warning', ['user_consent', 'server_notice_content'], 'Nobody is reminded of the terms by a notice yet')
  return settled
}

function checkPage(consent: Consent, name: string, report: Report): void {
  const file = policyFile(consent, name)
  const say = (why: string): void => complain(report, 'error', ['user_consent'], why)
  if (file === undefined) return say(`user_consent.version is also the name of a file, so ${name} cannot be one. Write for instance: version: "1.0"`)
  if (!existsSync(file) || !statSync(file).isFile()) return say(`user_consent needs the page ${file}, which is not there`)
  try {
    parseTemplate(readFileSync(file, 'utf8'))
  } catch (problem) {
    say(`${file} cannot be used: ${(problem as Error).message}`)
  }
}
