/**
 * Wraps a streaming credentials provider for one library client, with at most one subscription at a time. The library subscribes again with
 * each connection and never disposes of the previous subscription. Without this wrapper, the provider would keep notifying it and
 * requesting tokens after the client closes.
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
      // Disposed after the new subscription, because a provider without subscribers forgets its token.
      last?.dispose()
      last = subscription
      return [credentials, subscription]
    },
    onReAuthenticationError: (error) => heard?.call(provider, error),
  }
}
