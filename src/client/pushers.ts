import { page } from '#http/page.ts'
import type { Static } from '@sinclair/typebox'
import type { JsonObject } from '#schema/pdu.ts'
import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { getPushers, postPusher } from '#schema/client/pushers.ts'
import type { Pusher } from '#schema/journal/push.ts'
import { invalidParam, missingParam } from '#schema/matrix-error.ts'
import { listPusherOwners, listPushers, type PusherRow } from '#store/pushers.ts'

/** spec: client-server-api#post_matrixclientv3pushersset */
export const PUSHKEY_LIMIT_BYTES = 512
export const APP_ID_LIMIT = 64
/** `data` as JSON; all of it is sent with each notification. */
export const PUSHER_DATA_LIMIT_BYTES = 8_192
const GATEWAY_PATH = '/_matrix/push/v1/notify'

export const pushersPage = (server: Homeserver) =>
  page()
    .get(
      '/_matrix/client/v3/pushers',
      signedIn(server, getPushers, ({ requester }) => ({ pushers: listPushers(server.store, requester.userId).map(shown) })),
    )
    .post(
      '/_matrix/client/v3/pushers/set',
      signedIn(server, postPusher, async ({ body, requester: { userId, deviceId }, cause }) => {
        const { app_id: appId, pushkey } = body
        checkKey(body)
        if (body.kind === null) {
          await server.user(userId).ask({ kind: 'deletePusher', appId, pushkey }, cause)
          return {}
        }
        const pusher = pusherOf(body, body.kind)
        const others = body.append === true ? [] : listPusherOwners(server.store, appId, pushkey).filter((owner) => owner !== userId)
        await server.user(userId).ask({ kind: 'postPusher', deviceId, pusher }, cause)
        await Promise.all(others.map((owner) => server.user(owner).ask({ kind: 'deletePusher', appId, pushkey }, cause)))
        return {}
      }),
    )

type Body = Static<typeof postPusher.body>

function checkKey({ app_id: appId, pushkey }: Body): void {
  if (appId === '' || appId.length > APP_ID_LIMIT) throw invalidParam(`app_id must have 1 to ${APP_ID_LIMIT} characters`)
  if (pushkey === '' || Buffer.byteLength(pushkey) > PUSHKEY_LIMIT_BYTES)
    throw invalidParam(`pushkey must have 1 to ${PUSHKEY_LIMIT_BYTES} bytes`)
}

function pusherOf(body: Body, kind: string): Pusher {
  const { app_display_name: appDisplayName, device_display_name: deviceDisplayName, lang, data } = body
  if (appDisplayName === undefined || deviceDisplayName === undefined || lang === undefined || data === undefined)
    throw missingParam(`Missing parameters: ${missingIn(body).join(', ')}`)
  if (kind !== 'http') throw invalidParam(`This server has no pushers of kind ${kind}`)
  checkData(data)
  return {
    kind,
    appId: body.app_id,
    pushkey: body.pushkey,
    appDisplayName,
    deviceDisplayName,
    profileTag: body.profile_tag ?? null,
    lang,
    data: data as JsonObject,
    isEnabled: body.enabled ?? body['org.matrix.msc3881.enabled'] ?? true,
  }
}

const NEEDED = ['app_display_name', 'device_display_name', 'lang', 'data'] as const
const missingIn = (body: Body): string[] => NEEDED.filter((name) => body[name] === undefined)

/** Gateways in one's own network have no certificate, so `http` will do. */
function checkData(data: Readonly<Record<string, unknown>>): void {
  const { url } = data
  if (url === undefined) throw missingParam('Missing parameters: data.url')
  const parsed = typeof url === 'string' ? URL.parse(url) : null
  if (!parsed || !/^https?:$/.test(parsed.protocol)) throw invalidParam('data.url must be an HTTP address')
  if (parsed.pathname !== GATEWAY_PATH) throw invalidParam(`The path of data.url must be ${GATEWAY_PATH}`)
  if (Buffer.byteLength(JSON.stringify(data)) > PUSHER_DATA_LIMIT_BYTES)
    throw invalidParam(`data may have at most ${PUSHER_DATA_LIMIT_BYTES} bytes`)
}

const shown = ({ appId, pushkey, kind, appDisplayName, deviceDisplayName, profileTag, lang, data, isEnabled, deviceId }: PusherRow) => ({
  app_id: appId,
  pushkey,
  kind,
  app_display_name: appDisplayName,
  device_display_name: deviceDisplayName,
  ...(profileTag === null ? {} : { profile_tag: profileTag }),
  lang,
  data,
  enabled: isEnabled,
  'org.matrix.msc3881.enabled': isEnabled,
  ...(deviceId === null ? {} : { device_id: deviceId, 'org.matrix.msc3881.device_id': deviceId }),
})
