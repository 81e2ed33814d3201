import type { Homeserver } from '#homeserver'
import { MatrixError } from '#schema/matrix-error.ts'

/** `hs_disabled`: admins come in, everybody else is told what they say. Throws `M_RESOURCE_LIMIT_EXCEEDED`. */
export function refuseWhileClosed({ config }: Homeserver, { isAdmin }: { isAdmin: boolean }): void {
  if (!config.hsDisabled || isAdmin) return
  const contact = config.adminContact === null ? {} : { admin_contact: config.adminContact }
  const extra = { limit_type: 'hs_disabled', ...contact }
  throw new MatrixError(403, 'M_RESOURCE_LIMIT_EXCEEDED', config.hsDisabledMessage, extra)
}
