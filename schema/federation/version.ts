/** spec: server-server-api#get_matrixfederationv1version */
export const getVersion = {} as const
