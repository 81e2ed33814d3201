import { awaited } from './awaited.ts'
import { federationOptions } from './options-federation.ts'
import { limitOptions } from './options-limits.ts'
import { rateOptions, retiredRateOptions } from './options-rates.ts'
import { registrationOptions } from './options-registration.ts'
import { retiredOptions } from './options-retired.ts'
import { serverOptions } from './options-server.ts'
import { storageOptions } from './options-storage.ts'
import type { Option, Options } from './option.ts'

/** The options that have a place of the same name (in camelCase) in the configuration. */
export const plainOptions = {
  ...serverOptions,
  ...limitOptions,
  ...federationOptions,
  ...storageOptions,
  ...registrationOptions,
}

const everyOption: Options = { ...plainOptions, ...rateOptions, ...retiredRateOptions, ...retiredOptions }

const asItStands = (name: string, option: Option): Option => {
  const standing = awaited[name]
  return standing === undefined ? option : { ...option, standing }
}

/** Every option there is: all of Synapse's, old names included, and the few of our own. */
export const table: Options =
  Object.fromEntries(Object.entries(everyOption).map(([name, option]) => [name, asItStands(name, option)]))

export const optionNamed = (name: string): Option | undefined => (Object.hasOwn(table, name) ? table[name] : undefined)
