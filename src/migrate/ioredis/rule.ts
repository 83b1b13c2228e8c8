/** What a rule is: data for the documentation and tests, and a function that decides about a call. */
import type { Call } from './call.ts'

export interface Example {
  /** Code with ioredis. `redis`, `cluster`, `key` and `value` are declared unless the code has an `import` or a `require`. */
  readonly before: string
  readonly after: string
  /** Name of the example's file; default `example.ts`. */
  readonly file?: string
}

export interface Rule {
  readonly name: string
  /** What the rule is about, for a heading. */
  readonly title: string
  /** Why a plain rename would change the meaning, in one or two sentences. */
  readonly why: string
  readonly examples: readonly Example[]
}

/** A rule about calls of methods of a client. */
export interface CallRule extends Rule {
  /** Names of methods, as ioredis spells them. */
  readonly members: readonly string[]
  /** Rewrites or marks the call. False if the call is none of its business: the rule for other commands then decides. */
  readonly apply: (call: Call) => boolean
}
