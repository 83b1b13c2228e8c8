/** What rules ask about the whole program. */
import type { ts } from 'ts-morph'
import type { Proofs } from './arguments.ts'
import type { Kind, Kinds } from './kinds.ts'
import type { ClientValues } from './values/client-values.ts'
import type { ExportedClients } from './values/exported-clients.ts'

export interface Analysis {
  readonly kinds: Kinds
  readonly clientValues: ClientValues
  readonly exportedClients: ExportedClients
  /** The source of the project that a file names; undefined for packages. */
  readonly moduleAt: (specifier: string, from: string) => ts.SourceFile | undefined
  readonly proofs: Proofs
  readonly target: 5 | 6
  /** Names that the program gives to scripts with `defineCommand` or the option `scripts`. */
  readonly scriptNames: ReadonlySet<string>
  /** Token of `@Inject(token)` → what the decorated parameters and fields are. */
  readonly injected: ReadonlyMap<string, readonly Kind[]>
  /** True if the program names the option `keyPrefix` anywhere. */
  readonly hasKeyPrefix: boolean
  /** Commands that the program adds to pipelines and transactions; rules add to it. */
  readonly chained: Set<string>
}
