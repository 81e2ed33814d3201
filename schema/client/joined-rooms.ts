/** spec: client-server-api#get_matrixclientv3joined_rooms */
export const getJoinedRooms = { allowGuest: true } as const
