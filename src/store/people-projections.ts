import type { IssuedTokenFact } from '#schema/journal/issued-tokens.ts'
import type { ContentReported } from '#schema/journal/report.ts'
import { projectContentReported } from './content-reports.ts'
import { projectLoginTokenIssued, projectLoginTokenSpent, projectOpenIdTokenIssued } from './issued-tokens.ts'
import type { ProjectionsOf } from './projectors.ts'

/** Facts about what people hand out and report, and the tables they become. */
export const peopleProjections: ProjectionsOf<IssuedTokenFact | ContentReported> = {
  openIdTokenIssued: { project: projectOpenIdTokenIssued },
  loginTokenIssued: { project: projectLoginTokenIssued },
  loginTokenSpent: { project: projectLoginTokenSpent },
  contentReported: { project: projectContentReported },
}
