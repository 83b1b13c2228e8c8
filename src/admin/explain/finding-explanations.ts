/** Turns the findings of `coatcheck doctor` into explanations. */
import type { Catalogue } from './explanation.ts'

interface Finding {
  /** The problem in a few words, without a full stop. */
  readonly title: string
  readonly why: string
  readonly fix: string
}

/** @param findings by code, in the order of the page */
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
