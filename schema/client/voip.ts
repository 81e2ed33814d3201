/** Guests may ask where `turn_allow_guests` says so. spec: client-server-api#get_matrixclientv3voipturnserver */
export const getTurnServer = { allowGuest: true } as const
