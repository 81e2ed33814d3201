import type { Budget, FigureName, Synchronous } from './budgets.ts'
import { budgetOf, figureNames, keeps, labelOf, unitOf } from './budgets.ts'
import type { GeneratorCost } from './generator.ts'
import type { Target } from './target.ts'
import type { Figure, Unmeasured } from './workload.ts'

export type Results = ReadonlyMap<FigureName, Figure | Unmeasured>

export type Measured = { readonly target: Target; readonly results: Results }

export type Report = {
  readonly synchronous: Synchronous
  /** As it was before the first measurement. */
  readonly machine: string
  readonly diskMs: number
  /** The same for a disk that has rested between. */
  readonly restedDiskMs: number
  readonly generator: GeneratorCost
  readonly measured: readonly Measured[]
}

/** The figures as a table for people, each beside its budget. */
export function printReport(report: Report): string {
  const { machine, diskMs, restedDiskMs, generator, measured, synchronous } = report
  const servers = measured.map(({ target }) => `${target.name} (${target.durability})`)
  return [
    `${servers.join(' beside ')} on ${machine}`,
    `disk: F = ${diskMs.toFixed(2)} ms for 4 KB append + fdatasync (${restedDiskMs.toFixed(2)} ms after a rest of 5 ms); budgets for synchronous ${synchronous}`,
    `generator: ${Math.round(generator.ceiling)} requests/s at most, ${generator.processorUs.toFixed(0)} µs processor time ` +
      `each, ${generator.roundTripMs.toFixed(2)} ms round trip, against a server that does nothing`,
    '',
    ...figureNames
      .filter((name) => measured.some(({ results }) => results.has(name)))
      .flatMap((name) => lines(name, report)),
  ].join('\n')
}

function lines(name: FigureName, { measured, synchronous, diskMs }: Report): string[] {
  const budget = budgetOf(name, synchronous, diskMs)
  return measured.flatMap(({ results, target }, index) => {
    const figure = results.get(name)
    if (figure === undefined) return []
    const label = index === 0 ? labelOf(name) : `  … ${target.name}`
    if (!('value' in figure)) return [`${label.padEnd(54)} not measured: ${figure.why}`]
    const mark = keeps(budget, figure.value) ? '  ok    ' : '  MISSED'
    const verdict = index === 0 ? `${showBudget(budget, unitOf(name)).padStart(18)}${mark}` : ' '.repeat(26)
    return [`${label.padEnd(54)}${showValue(figure.value, unitOf(name)).padStart(14)}${verdict}  ${figure.detail}`.trimEnd()]
  })
}

function showBudget(budget: Budget, unit: string): string {
  return `${budget.direction === 'at most' ? '≤' : '≥'} ${showValue(budget.value, unit)}`
}

function showValue(value: number, unit: string): string {
  const digits = unit === 'ms' && value < 100 ? 2 : 0
  return `${value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`
}

/** The same as data. */
export function reportAsJson({ machine, synchronous, diskMs, restedDiskMs, generator, measured }: Report): object {
  return {
    machine,
    synchronous,
    diskMs,
    restedDiskMs,
    generator,
    servers: measured.map(({ target, results }) => ({
      name: target.name,
      durability: target.durability,
      figures: [...results.values()].map((figure) => {
        if (!('value' in figure)) return figure
        const budget = budgetOf(figure.name, synchronous, diskMs)
        return { ...figure, unit: unitOf(figure.name), budget, kept: keeps(budget, figure.value) }
      }),
    })),
  }
}
