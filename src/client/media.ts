import type { Homeserver } from '#homeserver'
import { open, signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { anyMedia, guestMedia } from '#schema/client/media.ts'
import { forbidden, notFound, unrecognized } from '#schema/matrix-error.ts'

/** This server keeps no media: it takes none and finds none. spec: client-server-api#content-repository */
export const mediaPage = (server: Homeserver) => {
  const refuseUpload = signedIn(server, anyMedia, () => {
    throw forbidden('This server keeps no media')
  })
  const nothing = (): never => {
    throw notFound('This server keeps no media')
  }
  const noPreview = signedIn(server, anyMedia, () => {
    throw unrecognized('This server previews no links')
  })
  const config = signedIn(server, anyMedia, () => ({ 'm.upload.size': 0 }))
  const [read, readUnsigned] = [signedIn(server, guestMedia, nothing), open(server, anyMedia, nothing)]

  return page()
    .get('/_matrix/client/v1/media/download/:serverName/:mediaId', read)
    .get('/_matrix/client/v1/media/download/:serverName/:mediaId/:fileName', read)
    .get('/_matrix/client/v1/media/thumbnail/:serverName/:mediaId', read)
    .get('/_matrix/client/v1/media/preview_url', noPreview)
    .get('/_matrix/client/v1/media/config', config)
    .post('/_matrix/media/v3/upload', refuseUpload)
    .put('/_matrix/media/v3/upload/:serverName/:mediaId', refuseUpload)
    .post('/_matrix/media/v1/create', refuseUpload)
    .get('/_matrix/media/v3/download/:serverName/:mediaId', readUnsigned)
    .get('/_matrix/media/v3/download/:serverName/:mediaId/:fileName', readUnsigned)
    .get('/_matrix/media/v3/thumbnail/:serverName/:mediaId', readUnsigned)
    .get('/_matrix/media/v3/preview_url', noPreview)
    .get('/_matrix/media/v3/config', config)
}
