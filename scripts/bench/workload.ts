import type { FigureName } from './budgets.ts'
import type { Bench } from './target.ts'

/** A measured value in the unit of its name, and what else is worth knowing about it. */
export type Figure = { readonly name: FigureName; readonly value: number; readonly detail: string }

/** A figure that could not be measured here, and why. */
export type Unmeasured = { readonly name: FigureName; readonly why: string }

export type Workload = {
  readonly name: string
  readonly figures: readonly FigureName[]
  readonly run: (bench: Bench) => Promise<readonly (Figure | Unmeasured)[]>
}
