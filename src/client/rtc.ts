import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { getRtcTransports } from '#schema/client/rtc.ts'

/** The list of `matrix_rtc.transports`, under the present name and that of released clients (MSC4143). */
export const rtcPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports',
    signedIn(server, getRtcTransports, () => {
      const { transports } = server.config.matrixRtc
      return { rtc_transports: transports, transports }
    }),
  )
