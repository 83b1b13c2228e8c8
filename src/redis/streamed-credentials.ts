/**
 * Credentials that are announced when they change, for one client of the library: as the library asks for them, but never more
 * than one subscription. The library subscribes anew with each connection and forgets the subscription before, so that its
 * source would go on announcing to it, and asking for tokens, after everything here has been closed.
 */
import type { RedisCredentialsProvider } from './target.ts'

type Streaming = Extract<RedisCredentialsProvider, { type: 'streaming-credentials-provider' }>

interface Disposable {
  dispose(): void
}

export function forOneClient(provider: RedisCredentialsProvider): RedisCredentialsProvider {
  return provider.type === 'streaming-credentials-provider' ? oneSubscription(provider) : provider
}

function oneSubscription(provider: Streaming): Streaming & { onReAuthenticationError(error: unknown): void } {
  const { onReAuthenticationError: heard } = provider as { onReAuthenticationError?: (error: unknown) => void }
  let last: Disposable | null = null
  return {
    type: 'streaming-credentials-provider',
    async subscribe(listener) {
      const [credentials, subscription] = (await provider.subscribe(listener)) as [unknown, Disposable]
      // After the new one: a source that nobody listens to forgets its token.
      last?.dispose()
      last = subscription
      return [credentials, subscription]
    },
    onReAuthenticationError: (error) => heard?.call(provider, error),
  }
}
