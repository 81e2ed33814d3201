import { Type } from '@sinclair/typebox'
import { Auth } from './login.ts'

const Secret = Type.String({ pattern: '^[0-9a-zA-Z.=_-]{1,255}$' })
const Proof = { client_secret: Secret, sid: Type.String() }
const Address = Type.Object({ id_server: Type.Optional(Type.String()), medium: Type.String(), address: Type.String() })
const attempt = { client_secret: Secret, send_attempt: Type.Integer(), next_link: Type.Optional(Type.String()) }

/** spec: client-server-api#get_matrixclientv3account3pid */
export const getAccount3PIDs = {} as const

/** spec: client-server-api#post_matrixclientv3account3pid */
export const post3PIDs = { body: Type.Object({ three_pid_creds: Type.Object(Proof) }) } as const

/** spec: client-server-api#post_matrixclientv3account3pidadd */
export const add3PID = { body: Type.Object({ auth: Auth, ...Proof }) } as const

/** spec: client-server-api#post_matrixclientv3account3pidbind */
export const bind3PID = { body: Type.Object({ ...Proof, id_server: Type.String(), id_access_token: Type.String() }) } as const

/** spec: client-server-api#post_matrixclientv3account3piddelete */
export const delete3pidFromAccount = { body: Address } as const

/** spec: client-server-api#post_matrixclientv3account3pidunbind */
export const unbind3pidFromAccount = { body: Address } as const

/** spec: client-server-api#post_matrixclientv3account3pidemailrequesttoken and the two like it */
export const requestTokenTo3PIDEmail = { body: Type.Object({ ...attempt, email: Type.String() }) } as const

/** spec: client-server-api#post_matrixclientv3account3pidmsisdnrequesttoken and the two like it */
export const requestTokenTo3PIDMSISDN = {
  body: Type.Object({ ...attempt, country: Type.String(), phone_number: Type.String() }),
} as const
