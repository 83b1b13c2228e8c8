/**
 * All findings of the examination, by code: severity, title, why, fix. The command line, docs/doctor.md and `coatcheck explain` read it. If
 * Redis, keys or configuration are unusable, the finding has the code of the error, from `core/error-catalogue.ts`.
 * Adding a code is a minor release. Renaming or removing one is a major release. Texts contain no value of any configuration.
 */
import { configurationFindings } from './catalogue/configuration.ts'
import { dataFindings } from './catalogue/data.ts'
import type { CatalogueFinding } from './catalogue/entry.ts'
import { providerFindings } from './catalogue/provider.ts'
import { redisFindings } from './catalogue/redis.ts'

const entries = { ...configurationFindings, ...redisFindings, ...providerFindings, ...dataFindings }

/** Code of a finding of the doctor, such as `DOCTOR_EVICTION_POLICY`. */
export type FindingCode = keyof typeof entries
/** Every finding of the doctor by its code. `coatcheck explain` and docs/doctor.md show the same texts. */
export const findingCatalogue: Readonly<Record<FindingCode, CatalogueFinding>> = entries
