/** Counts how many places each rule of the codemod handled, and how. */
import type { Site, SiteState } from '../../migrate/ioredis/migrate.ts'
import type { Column } from '../output.ts'

export interface RuleRow {
  readonly rule: string
  readonly files: number
  readonly counts: Readonly<Record<SiteState, number>>
}

export const ruleColumns: readonly Column<RuleRow>[] = [
  { title: 'RULE', value: ({ rule }) => rule },
  { title: 'FILES', value: ({ files }) => files, align: 'right' },
  { title: 'REWRITTEN', value: ({ counts }) => counts.rewritten, align: 'right' },
  { title: 'HELPER', value: ({ counts }) => counts.helper, align: 'right' },
  { title: 'MARKED', value: ({ counts }) => counts.marked, align: 'right' },
  { title: 'IGNORED', value: ({ counts }) => counts.ignored, align: 'right' },
]

/** One row for each rule that found a place, then a total. */
export function ruleRows(sites: readonly Site[]): readonly RuleRow[] {
  const names = [...new Set(sites.map(({ rule }) => rule))].sort()
  return [
    ...names.map((name) =>
      rowOf(
        name,
        sites.filter(({ rule }) => rule === name),
      ),
    ),
    rowOf('all', sites),
  ]
}

function rowOf(rule: string, sites: readonly Site[]): RuleRow {
  const counts = { rewritten: 0, helper: 0, marked: 0, ignored: 0 }
  for (const { state } of sites) counts[state] += 1
  return { rule, files: new Set(sites.map(({ file }) => file)).size, counts }
}
