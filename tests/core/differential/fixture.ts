import { type RoomVersion, type RoomVersionRules, roomVersionRules } from '#core/room-version.ts'

const FIXTURES = `${import.meta.dir}/../../fixtures/differential`

/** One of the files under `tests/fixtures/differential`, whose README says what they hold. */
export const loadFixture = async <T>(name: string): Promise<T> => {
  const packed = await Bun.file(`${FIXTURES}/${name}.json.gz`).bytes()
  return JSON.parse(new TextDecoder().decode(Bun.gunzipSync(packed))) as T
}

export const rulesOf = (version: string): RoomVersionRules => {
  const rules = roomVersionRules(version)
  if (rules === undefined) throw new Error(`Room version ${version} is not known`)
  return rules
}

/** The cases under which a fixture files what the peers disagree on, less those that the README explains. */
export const unexplainedCases = async (cases: readonly (string | undefined)[]): Promise<string[]> => {
  const readme = await Bun.file(`${FIXTURES}/README.md`).text()
  const named = cases.filter((name) => name !== undefined)
  return [...new Set(named)].filter((name) => !readme.includes(`\n### ${name}\n`))
}

export type Versioned<T> = Readonly<Record<RoomVersion, T>>
