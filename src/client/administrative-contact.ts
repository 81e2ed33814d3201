import type { Homeserver } from '#homeserver'
import { open, signedIn } from '#http/endpoint.ts'
import { noIdentityServer } from '#http/invites.ts'
import { page } from '#http/page.ts'
import { proveIdentity } from '#http/uia.ts'
import * as schema from '#schema/client/administrative-contact.ts'
import { forbidden, MatrixError } from '#schema/matrix-error.ts'

/**
 * This server sends neither mail nor text messages, so nobody can prove that an address is theirs, and no account has
 * any. spec: client-server-api#adding-account-administrative-contact-information
 */
export const administrativeContactPage = (server: Homeserver) => {
  const byMail = open(server, schema.requestTokenTo3PIDEmail, () => notSent('mail'))
  const byText = open(server, schema.requestTokenTo3PIDMSISDN, () => notSent('text messages'))
  // What is not there cannot be removed, at no identity server either.
  const remove = { id_server_unbind_result: 'no-support' } as const

  return page()
    .get('/_matrix/client/v3/account/3pid', signedIn(server, schema.getAccount3PIDs, () => ({ threepids: [] })))
    .post(
      '/_matrix/client/v3/account/3pid',
      signedIn(server, schema.post3PIDs, () => {
        refuseWhereClosed(server)
        throw notProven(403)
      }),
    )
    .post(
      '/_matrix/client/v3/account/3pid/add',
      signedIn(server, schema.add3PID, async (call) => {
        refuseWhereClosed(server)
        await proveIdentity(server, call)
        throw notProven(400)
      }),
    )
    .post(
      '/_matrix/client/v3/account/3pid/bind',
      signedIn(server, schema.bind3PID, () => {
        throw noIdentityServer()
      }),
    )
    .post(
      '/_matrix/client/v3/account/3pid/delete',
      signedIn(server, schema.delete3pidFromAccount, () => {
        refuseWhereClosed(server)
        return remove
      }),
    )
    .post('/_matrix/client/v3/account/3pid/unbind', signedIn(server, schema.unbind3pidFromAccount, () => remove))
    .post('/_matrix/client/v3/account/3pid/email/requestToken', byMail)
    .post('/_matrix/client/v3/account/3pid/msisdn/requestToken', byText)
    .post('/_matrix/client/v3/account/password/email/requestToken', byMail)
    .post('/_matrix/client/v3/account/password/msisdn/requestToken', byText)
    .post('/_matrix/client/v3/register/email/requestToken', byMail)
    .post('/_matrix/client/v3/register/msisdn/requestToken', byText)
}

function notSent(what: string): never {
  throw new MatrixError(400, 'M_THREEPID_MEDIUM_NOT_SUPPORTED', `This server does not send ${what}`)
}

const notProven = (status: 400 | 403): MatrixError =>
  new MatrixError(status, 'M_THREEPID_AUTH_FAILED', 'No address was proven to this server under this sid')

function refuseWhereClosed({ config }: Homeserver): void {
  if (!config.enable3pidChanges) throw forbidden('Addresses of accounts cannot be changed on this server')
}
