/** spec: client-server-api#get_matrixclientv3capabilities */
export const getCapabilities = { allowGuest: true } as const
