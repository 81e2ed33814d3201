/** spec: client-server-api#get_matrixclientversions */
export const getVersions = {}

/** spec: client-server-api#getwell-knownmatrixclient */
export const getWellknown = {}

/** spec: client-server-api#getwell-knownmatrixsupport */
export const getWellknownSupport = {}

/** spec: client-server-api#getwell-knownmatrixpolicy_server */
export const getWellknownPolicy = {}

/** spec: server-server-api#getwell-knownmatrixserver */
export const getWellKnownServer = {}
