import { Type } from '@sinclair/typebox'

/** spec: client-server-api#get_matrixclientv3pushers */
export const getPushers = {}

const Text = Type.Optional(Type.String({ maxLength: 1_000 }))

/** What a pusher needs besides depends on its kind. spec: client-server-api#post_matrixclientv3pushersset */
export const postPusher = {
  body: Type.Object({
    kind: Type.Union([Type.String({ maxLength: 64 }), Type.Null()]),
    app_id: Type.String(),
    pushkey: Type.String(),
    app_display_name: Text,
    device_display_name: Text,
    profile_tag: Text,
    lang: Text,
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    append: Type.Optional(Type.Boolean()),
    enabled: Type.Optional(Type.Boolean()),
    'org.matrix.msc3881.enabled': Type.Optional(Type.Boolean()),
  }),
}
