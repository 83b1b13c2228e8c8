/** What `coatcheck doctor` finds, as explanations. */
import type { Catalogue } from './explanation.ts'

interface Finding {
  /** What is the matter, in a few words and without a full stop. */
  readonly title: string
  readonly why: string
  readonly fix: string
}

/** @param findings by their codes, in the order of the page */
export function findingExplanations(findings: Readonly<Record<string, Finding>>): Catalogue {
  return Object.entries(findings).map(([name, { title, why, fix }]) => ({
    name,
    kind: 'finding',
    match: new RegExp(`\\b${name}\\b`),
    seen: [],
    why: `${title}. ${why}`,
    cause: null,
    check: '`npx coatcheck doctor`',
    fix,
    prevent: null,
    related: [],
    thrown: null,
    source: null,
  }))
}
