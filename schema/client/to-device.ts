import { Type } from '@sinclair/typebox'

/** spec: client-server-api#put_matrixclientv3sendtodeviceeventtypetxnid */
export const sendToDevice = {
  allowGuest: true,
  params: Type.Object({ eventType: Type.String({ maxLength: 255 }), txnId: Type.String() }),
  body: Type.Object({ messages: Type.Record(Type.String(), Type.Record(Type.String(), Type.Object({}))) }),
  response: Type.Object({}),
} as const
