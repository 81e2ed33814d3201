import type { Homeserver } from '#homeserver'
import { signedIn } from '#http/endpoint.ts'
import { page } from '#http/page.ts'
import { getRetentionConfiguration } from '#schema/client/retention.ts'

/** What this server adds to the `m.room.retention` of rooms (MSC1763): a policy for those without one, and limits. */
export const retentionPage = (server: Homeserver) =>
  page().get(
    '/_matrix/client/unstable/org.matrix.msc1763/retention/configuration',
    signedIn(server, getRetentionConfiguration, () => described(server)),
  )

function described({ config: { retention } }: Homeserver): Readonly<Record<'policies' | 'limits', object>> {
  if (!retention.enabled) return { policies: {}, limits: {} }
  const policy = given({ min_lifetime: retention.defaultPolicy.minLifetime, max_lifetime: retention.defaultPolicy.maxLifetime })
  const bounds = given({ min: retention.allowedLifetimeMin, max: retention.allowedLifetimeMax })
  return {
    policies: isEmpty(policy) ? {} : { '*': policy },
    limits: isEmpty(bounds) ? {} : { max_lifetime: bounds },
  }
}

const given = (values: Readonly<Record<string, number | null>>): object =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))

const isEmpty = (object: object): boolean => Object.keys(object).length === 0
