import { Type } from '@sinclair/typebox'

const ofProtocol = { params: Type.Object({ protocol: Type.String() }) } as const

/** spec: client-server-api#get_matrixclientv3thirdpartyprotocols */
export const getProtocols = {} as const

/** spec: client-server-api#get_matrixclientv3thirdpartyprotocolprotocol */
export const getProtocolMetadata = ofProtocol

/** spec: client-server-api#get_matrixclientv3thirdpartylocationprotocol */
export const queryLocationByProtocol = ofProtocol

/** spec: client-server-api#get_matrixclientv3thirdpartyuserprotocol */
export const queryUserByProtocol = ofProtocol

/** spec: client-server-api#get_matrixclientv3thirdpartylocation */
export const queryLocationByAlias = { query: Type.Object({ alias: Type.String() }) } as const

/** spec: client-server-api#get_matrixclientv3thirdpartyuser */
export const queryUserByID = { query: Type.Object({ userid: Type.String() }) } as const
