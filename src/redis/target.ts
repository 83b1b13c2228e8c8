/** The resolved destination: `options.ts` builds it from options and environment, and `open-client.ts` connects to it. */
import type { RedisAddress } from './redis-url.ts'

/** Credentials and TLS of a connection. Holds secrets: never shown, never part of an error or event. */
export interface RedisAccess {
  readonly tls: RedisTls | null
  readonly username: string | null
  readonly password: string | null
  /** Replaces user name and password if they change. Passed to the client library, majors 5 and 6. */
  readonly credentialsProvider: RedisCredentialsProvider | null
  readonly database: number
  readonly connectTimeoutMs: number
  /** The operator allows a password to leave this machine without TLS. */
  readonly allowsPlaintext: boolean
}

export interface RedisTls {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  readonly servername: string | null
}

/** One server. */
export interface RedisTarget extends RedisAccess {
  readonly address: RedisAddress
}

export interface ClusterTarget {
  readonly access: RedisAccess
  /** Nodes for the first contact: any nodes of the cluster. */
  readonly nodes: readonly RedisAddress[]
}

export interface SentinelTarget {
  /** Credentials for the servers that the sentinels name. */
  readonly access: RedisAccess
  /** The name under which the sentinels know the primary. */
  readonly name: string
  readonly sentinels: readonly RedisTarget[]
}

export type Destination =
  | { readonly kind: 'single'; readonly target: RedisTarget }
  | { readonly kind: 'cluster'; readonly target: ClusterTarget }
  | { readonly kind: 'sentinel'; readonly target: SentinelTarget }

/**
 * The two provider types of the client library, by shape: that of `@redis/entraid`, or `{ type: 'async-credentials-provider', credentials
 * }`.
 */
export type RedisCredentialsProvider =
  | {
      /** Kind of provider, as `redis` names it. */
      readonly type: 'async-credentials-provider'
      /** Called at each connect. */
      readonly credentials: () => Promise<{
        /** Name of the ACL user; absent for the default user. */
        username?: string
        /** Password or token. */
        password?: string
      }>
    }
  | {
      /** Kind of provider, as `redis` names it. */
      readonly type: 'streaming-credentials-provider'
      /** Called once for each connection. The listener receives every new password. */
      // The listener's type differs between copies of the library, so this code does not read it.
      // eslint-disable-next-line @typescript-eslint/no-explicit-any
      readonly subscribe: (listener: any) => Promise<unknown>
    }

/** Name for messages: `host:port` or the path of a socket. */
export function nameOfAddress(address: RedisAddress): string {
  if ('path' in address) return address.path
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
