import { MatrixError } from '#schema/matrix-error.ts'
import type { Requester } from './endpoint.ts'

/** Suspended users may read, leave and look after their account, but not speak up. spec: client-server-api#account-suspension */
export function refuseSuspended({ isSuspended }: Requester): void {
  if (isSuspended) throw new MatrixError(403, 'M_USER_SUSPENDED', 'This account is suspended: it can read and leave rooms, but not do this')
}
