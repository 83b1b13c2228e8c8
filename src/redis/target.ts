/** What `options.ts` makes of options and environment, and `library.ts` connects to. */
import type { RedisAddress } from './redis-url.ts'

/** Where and as whom to connect. Holds the password: never shown, never part of an error or event. */
export interface RedisTarget {
  readonly address: RedisAddress
  readonly tls: { readonly ca: string | null; readonly servername: string | null } | null
  readonly username: string | null
  readonly password: string | null
  readonly database: number
  readonly connectTimeoutMs: number
}
