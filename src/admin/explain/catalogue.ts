/** Everything that can be explained. A further catalogue is a further line, in the order in which it stands in docs/errors.md. */
import { findingCatalogue } from '../health/finding-catalogue.ts'
import type { Catalogue } from './explanation.ts'
import { findingExplanations } from './finding-explanations.ts'
import { connectionTexts } from './foreign-connection.ts'
import { entraCodes } from './foreign-entra.ts'
import { providerTexts } from './foreign-provider.ts'
import { redisReplies } from './foreign-redis.ts'
import { webTexts } from './foreign-web.ts'
import { ownErrors } from './own-errors.ts'

/** With the heading under which the page puts them. */
export interface Chapter {
  readonly title: string
  readonly entries: Catalogue
}

const foreign: readonly Chapter[] = [
  { title: 'Texts of Redis', entries: redisReplies },
  { title: 'Texts of connections', entries: connectionTexts },
  { title: 'Texts around sign-in', entries: webTexts },
  { title: 'Log lines about the provider', entries: providerTexts },
  { title: 'Codes of Microsoft Entra ID', entries: entraCodes },
]

export const chapters: readonly Chapter[] = [
  { title: 'Codes of Coatcheck', entries: ownErrors(foreign.flatMap(({ entries }) => entries)) },
  ...foreign,
]

/** Findings stand in docs/doctor.md, and so are no chapter of the page of errors. */
export const explanations: Catalogue = [
  ...chapters.flatMap(({ entries }) => entries),
  ...findingExplanations(findingCatalogue),
]
