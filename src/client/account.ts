import type { Homeserver } from '#homeserver'
import { deactivateAccount } from '#http/deactivation.ts'
import { open, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { checkNewPassword, hashNewPassword, mayLogInByPassword } from '#http/passwords.ts'
import { endSessions } from '#http/sessions.ts'
import { proveIdentity } from '#http/uia.ts'
import * as schema from '#schema/client/account.ts'
import { forbidden } from '#schema/matrix-error.ts'

export const accountPage = (server: Homeserver) =>
  page()
    .get(
      '/_matrix/client/v3/account/whoami',
      signedIn(server, schema.getTokenOwner, ({ requester: { userId, deviceId, isGuest } }) => ({
        user_id: userId,
        ...(deviceId === null ? {} : { device_id: deviceId }),
        is_guest: isGuest,
      })),
    )
    .post(
      '/_matrix/client/v3/account/password',
      signedIn(server, schema.changePassword, async (call) => {
        const { body, requester, cause } = call
        if (!mayLogInByPassword(server)) throw forbidden('Passwords cannot be changed here')
        checkNewPassword(server, body.new_password)
        await proveIdentity(server, call, { mayReuse: false })
        const passwordHash = await hashNewPassword(server, body.new_password)
        await server.user(requester.userId).ask({ kind: 'setPassword', passwordHash }, cause)
        if (body.logout_devices ?? true) await endSessions(server, requester.userId, cause, requester.deviceId)
        return {}
      }),
    )
    .post(
      '/_matrix/client/v3/account/deactivate',
      signedIn(server, schema.deactivateAccount, async (call) => {
        const { body, requester, cause } = call
        await proveIdentity(server, call, { mayReuse: false })
        await deactivateAccount(server, requester.userId, body.erase ?? false, cause)
        // No account has third-party identifiers, so there was nothing to unbind.
        return { id_server_unbind_result: 'success' }
      }),
    )
    .get('/_matrix/client/v3/password_policy', open(server, schema.getPasswordPolicy, () => passwordPolicy(server)))

/** Names of MSC2000, as the reference server has them. */
function passwordPolicy({ config: { passwordConfig: { policy } } }: Homeserver): Record<string, unknown> {
  if (!policy.enabled) return {}
  return {
    'm.minimum_length': policy.minimumLength,
    'm.require_digit': policy.requireDigit,
    'm.require_symbol': policy.requireSymbol,
    'm.require_lowercase': policy.requireLowercase,
    'm.require_uppercase': policy.requireUppercase,
  }
}
