/**
 * Builds every key name of docs/redis-keys.md. No other file builds key names.
 * All keys of one user carry its user key as hash tag. So they lie in one slot, and one script may touch them all.
 * In key names and index members, the random part of the id identifies a session. The user key already stands in the hash tag. Repeating it
 * would cost 32 bytes per session (docs/decisions/0003-short-session-ids-in-keys.md).
 */
export interface RedisKeys {
  session(userKey: string, id: string): string
  generation(userKey: string): string
  sessions(userKey: string): string
  tokens(userKey: string): string
  ended(userKey: string, id: string): string
  revocations(userKey: string): string
  signIn(transactionId: string): string
  providerSession(hash: string): string
  appTokens(hash: string): string
  logoutToken(hash: string): string
  providerGate(hash: string): string
  revocationIndex(): string
  /** `name`: a keyed hash. Each document lies in its own slot. */
  document(kind: string, name: string): string
  documentSet(kind: string, name: string): string
  /** `number`: chosen so that each server of a cluster has one canary. */
  canary(recordClass: string, number: number): string
  canaries(): string
  /** One of several streams, each in its own slot. */
  events(shard: string): string
  migrationReads(): string
}

export function redisKeys(prefix: string): RedisKeys {
  return {
    session: (userKey, id) => `${prefix}user:session:{${userKey}}:${id}`,
    generation: (userKey) => `${prefix}user:{${userKey}}:gen`,
    sessions: (userKey) => `${prefix}user:{${userKey}}:sessions`,
    tokens: (userKey) => `${prefix}user:{${userKey}}:tokens`,
    ended: (userKey, id) => `${prefix}user:{${userKey}}:ended:${id}`,
    revocations: (userKey) => `${prefix}user:{${userKey}}:revocations`,
    signIn: (transactionId) => `${prefix}signin:${transactionId}`,
    providerSession: (hash) => `${prefix}provider:sid:${hash}`,
    appTokens: (hash) => `${prefix}app:tokens:${hash}`,
    logoutToken: (hash) => `${prefix}provider:logout:${hash}`,
    providerGate: (hash) => `${prefix}provider:gate:${hash}`,
    document: (kind, name) => `${prefix}host:${kind}:${name}`,
    documentSet: (kind, name) => `${prefix}host-set:${kind}:${name}`,
    canary: (recordClass, number) => `${prefix}canary:${recordClass}:${number}`,
    canaries: () => `${prefix}canary:planted`,
    events: (shard) => `${prefix}events:${shard}`,
    migrationReads: () => `${prefix}migration:reads`,
    revocationIndex: () => `${prefix}provider:revocations`,
  }
}

/** Prefixes of the key names whose changes the near cache receives: of sessions, and of generations and tokens. */
export function announcedPrefixes(prefix: string): readonly string[] {
  return [`${prefix}user:session:`, `${prefix}user:{`]
}
