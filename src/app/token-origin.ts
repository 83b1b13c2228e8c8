/** Opens the origin of tokens that `migrateFrom` names: its store, its marks, and its counts of reads. */
import type { OpenTokenOrigin } from './adopted-tokens.ts'
import { countReads } from './drop-in-origin.ts'
import type { SharedRuntime } from './shared-runtime.ts'
import type { ResolvedConfig } from '../config/types.ts'
import { systemClock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { TokenOrigin } from '../migrate/tokens/token-origin.ts'
import { resolveProvider } from '../token/token-target.ts'

/** Loads the code that only an origin of tokens needs. */
export async function openTokenOrigin(
  origin: TokenOrigin,
  runtime: SharedRuntime,
  config: ResolvedConfig<object>,
  events: EventBus,
): Promise<OpenTokenOrigin> {
  const { store, keyring, seal, tokens } = runtime
  const { providers, prefix, loopback } = config
  const closing: (() => Promise<void>)[] = []
  await countReads(origin, runtime, config, events, (end) => void closing.push(end))
  const { tokenMarkDocuments } = await import('../migrate/tokens/token-marks.ts')
  const names = providers.map(({ name }) => name)
  const provider = resolveProvider(names, origin.provider === undefined ? {} : { provider: origin.provider })
  const other = origin.store?.open({ prefix, loopback, clock: systemClock, events })
  const attached = origin.attach({
    ...{ tokens, keyring, events, provider, clock: systemClock, sessions: store.sessions },
    marks: tokenMarkDocuments({ driver: store.documents, keyring, seal, namespace: prefix, events }),
    old: await (other ?? store).oldRecords(),
  })
  return {
    attached,
    provider,
    async close() {
      for (const end of closing) await end()
      await other?.close()
    },
  }
}
