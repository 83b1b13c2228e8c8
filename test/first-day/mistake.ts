/**
 * A mistake of the first day: code that makes it with a real Redis and provider, and the expected answer. The same rows write
 * docs/first-mistakes.md.
 */
import { type AnyCoatcheckError, isCoatcheckError } from '../../src/core/errors.ts'
import { examineHealth } from '../../src/entries/admin.ts'
import type { Options } from '../../src/config/types.ts'
import type { World } from './world.ts'

/** What a beginner sees: of an error, of a finding of the doctor, of a page or of a command. */
export interface Seen {
  /** Stable: a code of ours, a finding of the doctor, or a number of Entra ID. */
  readonly code: string
  readonly what: string
  readonly why: string
  readonly fix: string
}

export interface Mistake {
  /** A sentence: what the beginner did. */
  readonly title: string
  /** The mistake in one line, as it stands in a file or a terminal. */
  readonly sample: string
  /** Makes the mistake. Throws what the beginner would get, or resolves to what they see. */
  make(world: World): unknown
  readonly code: string
  readonly what: RegExp
  readonly why: RegExp
  readonly fix: RegExp
  /** True for a request that may create a session or a sign-in of its own. The witness of the world stays as it is in any case. */
  readonly writes?: true
}

/** @throws when nothing was said: then the mistake is silent */
export async function seenBy(mistake: Mistake, world: World): Promise<Seen> {
  let seen: unknown
  try {
    seen = await mistake.make(world)
  } catch (error) {
    if (isCoatcheckError(error)) return seenOf(error)
    throw error
  }
  if (typeof seen === 'object' && seen !== null && 'code' in seen) return seen as Seen
  throw new Error(`"${mistake.title}" was accepted without a word.`)
}

function seenOf({ code, message, why, fix }: AnyCoatcheckError): Seen {
  return { code, what: message, why, fix }
}

/** The finding with this code in the report of the doctor. */
export async function doctorSays(code: string, options: Options, offline = true): Promise<Seen> {
  const report = await examineHealth(() => options, { offline })
  const check = report.checks.find(({ finding }) => finding?.code === code)
  if (!check?.finding) {
    throw new Error(`The doctor finds ${JSON.stringify(report.checks.flatMap(({ finding }) => finding?.code ?? []))}.`)
  }
  const { title, why, fix } = check.finding
  return { code, what: `${title}: ${check.says}.`, why, fix }
}
