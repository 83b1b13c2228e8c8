/** The contract of the token cache, on every driver. Run each case against an empty store. */
import type { ConformanceCase } from './conformance.ts'
import { directCases } from './token-cases/direct.ts'
import { outcomesCases } from './token-cases/outcomes.ts'
import { processesCases } from './token-cases/processes.ts'
import { refreshingCases } from './token-cases/refreshing.ts'
import { storingCases } from './token-cases/storing.ts'
import { subjectsCases } from './token-cases/subjects.ts'
import type { TokenHarness } from './token-fixture.ts'

/** Cases of the token cache. */
export const tokenCases: readonly ConformanceCase<TokenHarness>[] = [
  ...storingCases,
  ...refreshingCases,
  ...outcomesCases,
  ...subjectsCases,
  ...processesCases,
  ...directCases,
]
