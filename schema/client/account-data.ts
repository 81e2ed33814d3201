import { Type } from '@sinclair/typebox'
import { RoomId, UserId } from '#schema/identifiers.ts'

const ofAccount = Type.Object({ userId: UserId, type: Type.String({ minLength: 1 }) })
const ofRoom = Type.Object({ userId: UserId, roomId: RoomId, type: Type.String({ minLength: 1 }) })
const Content = Type.Record(Type.String(), Type.Unknown())

/** spec: client-server-api#put_matrixclientv3useruseridaccount_datatype */
export const setAccountData = { params: ofAccount, body: Content }

/** spec: client-server-api#get_matrixclientv3useruseridaccount_datatype */
export const getAccountData = { params: ofAccount }

/** MSC3391 */
export const deleteAccountData = { params: ofAccount }

/** spec: client-server-api#put_matrixclientv3useruseridroomsroomidaccount_datatype */
export const setAccountDataPerRoom = { params: ofRoom, body: Content }

/** spec: client-server-api#get_matrixclientv3useruseridroomsroomidaccount_datatype */
export const getAccountDataPerRoom = { params: ofRoom }

/** MSC3391 */
export const deleteAccountDataPerRoom = { params: ofRoom }
