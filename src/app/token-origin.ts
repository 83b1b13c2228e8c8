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
  { store, keyring, seal, tokens }: SharedRuntime,
  { providers, prefix, loopback }: ResolvedConfig<object>,
  events: EventBus,
): Promise<OpenTokenOrigin> {
  const { tokenMarkDocuments } = await import('../migrate/tokens/token-marks.ts')
  const names = providers.map(({ name }) => name)
  const provider = resolveProvider(names, origin.provider === undefined ? {} : { provider: origin.provider })
  const other = origin.store?.open({ prefix, loopback, clock: systemClock, events })
  const attached = origin.attach({
    ...{ tokens, keyring, events, provider, clock: systemClock, sessions: store.sessions },
    marks: tokenMarkDocuments({ driver: store.documents, keyring, seal, namespace: prefix, events }),
    old: await (other ?? store).oldRecords(),
  })
  const closing: (() => Promise<void>)[] = []
  await countReads(origin, store, events, (end) => void closing.push(end))
  return {
    attached,
    provider,
    async close() {
      for (const end of closing) await end()
      await other?.close()
    },
  }
}
