import packageJson from '#package' with { type: 'json' }

export const VERSION: string = packageJson.version
