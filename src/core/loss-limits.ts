/**
 * Limits of what a process remembers because Redis may lose it: revocations to repeat (`stores/redis/revocation-retries.ts`), confirmed
 * revocations (`stores/redis/revocation-memory.ts`) and grants that no replica has acknowledged (`token/unreplicated-grants.ts`). The
 * table in docs/redis.md, "Sign-outs that survive a failover", says when each entry is given up.
 */

/** Longer than most sessions live. */
export const REMEMBERED_MS = 24 * 3_600_000
/** Entries that wait for Redis. Each holds a script call, some kilobytes at most. */
export const MAX_WAITING = 10_000
/** Confirmed revocations, some hundreds of bytes each. */
export const MAX_CONFIRMED_REVOCATIONS = 5000
/** The limit of one user. So a user who signs in and out in a loop displaces no revocation of another user. */
export const MAX_CONFIRMED_REVOCATIONS_OF_ONE_USER = 250
/** Ended token families of one user. */
export const MAX_ENDED_FAMILIES = 32
