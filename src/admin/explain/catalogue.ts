/** The list of all explanations. A further catalogue needs a further line, in the order of docs/errors.md. */
import { findingCatalogue } from '../health/finding-catalogue.ts'
import type { Catalogue } from './explanation.ts'
import { findingExplanations } from './finding-explanations.ts'
import { connectionTexts } from './foreign-connection.ts'
import { entraCodes } from './foreign-entra.ts'
import { providerTexts } from './foreign-provider.ts'
import { redisReplies } from './foreign-redis.ts'
import { webTexts } from './foreign-web.ts'
import { ownErrors } from './own-errors.ts'

/** A catalogue with its heading in docs/errors.md. */
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

/** Findings are in docs/doctor.md, so they are not a chapter of the errors page. */
export const explanations: Catalogue = [
  ...chapters.flatMap(({ entries }) => entries),
  ...findingExplanations(findingCatalogue),
]
