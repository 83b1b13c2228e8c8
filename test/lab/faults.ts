/**
 * The faults that the lab makes happen, what is promised for each, and the tests that hold it to that, by id and file.
 * `docs/faults.md` is this table with what `npm run lab` has observed; `npm test` runs the same tests, with fewer repetitions.
 *
 * If you change this, also change: the `observed(id, …)` in the test, and run `npm run lab` for the page.
 */
const LAB = 'test/lab'
const INTEGRATION = 'test/integration'

export const faults = {
  F1: {
    fault: 'The primary is cut off from its replicas, sessions are ended there, a replica is promoted, the cut heals',
    promise:
      'An ending that was reported as durable stays: 0 are undone. One that no replica has is reported as not durable',
    tests: {
      'F1.cut': `${LAB}/failover-rounds.test.ts`,
      'F1.sentinel': `${INTEGRATION}/redis-durability.test.ts`,
    },
  },
  F2: {
    fault: 'The same, and the process that ended them is killed',
    promise:
      '0 durable endings are undone. What was reported as not durable may come back: its memory went with the process',
    tests: { 'F2.killed': `${LAB}/failover-rounds.test.ts` },
  },
  F3: {
    fault: 'The same, and the process lives',
    promise: 'What was reported as not durable is ended again within 1 s of the connection to the new primary',
    tests: {
      'F3.journal': `${LAB}/failover-rounds.test.ts`,
      'F3.sentinel': `${INTEGRATION}/redis-durability.test.ts`,
    },
  },
  F4: {
    fault: 'kill -9 of the primary under load',
    promise:
      'No caller waits longer than the deadline, all work within 1 s of the new primary, no user is signed out, no durable ending is undone',
    tests: {
      'F4.sentinel': `${INTEGRATION}/redis-sentinel.test.ts`,
      'F4.cluster': `${INTEGRATION}/redis-cluster.test.ts`,
      'F4.history': `${LAB}/failover-history.test.ts`,
    },
  },
  F5: {
    fault:
      'SIGSTOP of the primary under load, and SIGCONT after the failover: the old one still believes it is the primary',
    promise: 'As F4, and the old primary acknowledges nothing as durable',
    tests: {
      'F5.sentinel': `${INTEGRATION}/redis-sentinel.test.ts`,
      'F5.cluster': `${INTEGRATION}/redis-cluster.test.ts`,
      'F5.history': `${LAB}/failover-history.test.ts`,
    },
  },
  F6: {
    fault: 'SIGSTOP of a single Redis under 64 callers',
    promise:
      'No caller waits longer than the deadline and 50 ms; the open circuit answers in under 5 ms; all work within 1 s of SIGCONT; memory stays flat',
    tests: { 'F6.hung': `${LAB}/network.test.ts` },
  },
  F7: {
    fault: 'A network that swallows, cuts, delays, drips or truncates',
    promise: 'The same deadline, at most 10 MB more memory, no write after its deadline was reported, no half session',
    tests: {
      'F7.swallowed': `${LAB}/network.test.ts`,
      'F7.cut': `${LAB}/network.test.ts`,
      'F7.delayed': `${LAB}/network.test.ts`,
      'F7.dripping': `${LAB}/network.test.ts`,
      'F7.truncated': `${LAB}/network.test.ts`,
      'F7.late-write': `${INTEGRATION}/redis-write-timeout.test.ts`,
    },
  },
  F8: {
    fault: 'Replies that are left out, doubled, exchanged',
    promise:
      '0 sessions and 0 tokens of another user. A signed-in user gets an error at most, never "no session"; a misaligned connection is replaced at once. **Not promised**: two answers in a row, exchanged with others of their kind, look like nothing',
    tests: {
      'F8.sessions': `${LAB}/confusion.test.ts`,
      'F8.tokens': `${LAB}/confusion.test.ts`,
      'F8.left-out': `${INTEGRATION}/misaligned-replies.test.ts`,
      'F8.doubled': `${INTEGRATION}/misaligned-replies.test.ts`,
    },
  },
  F9: {
    fault: 'Redis is not there at the start, is away for long, or comes and goes every second',
    promise:
      'What needs no session is served; the rest gets 503 with Retry-After and keeps its cookie; at most 10 attempts a second over four processes; back within 1 s',
    tests: {
      'F9.start': `${LAB}/absence.test.ts`,
      'F9.http': `${LAB}/absence.test.ts`,
      'F9.long': `${LAB}/absence.test.ts`,
      'F9.flapping': `${LAB}/absence.test.ts`,
    },
  },
  F10: {
    fault: 'FLUSHALL, or an empty replica is promoted',
    promise: 'All sessions end, told as "lost" from a sign-out, and no old cookie is accepted',
    tests: { 'F10.flushed': `${LAB}/restore.test.ts` },
  },
  F11: {
    fault: 'An RDB from an hour ago is restored',
    promise:
      'What a process that still runs has ended (its latest 5,000 of a day) is ended again within 1 s; what has expired stays so. **Not promised** for what was ended by processes that have gone: nothing inside Redis can tell. After a restore [drop the generations](redis.md#after-a-restore): then no ended session comes back',
    tests: { 'F11.restored': `${LAB}/restore.test.ts` },
  },
  F12: {
    fault: 'maxmemory with noeviction: the server is full',
    promise:
      'Sessions are readable, sign-out and revoke-by-user succeed, each 100 %; a new sign-in is refused with COATCHECK_REDIS_OOM, over HTTP 503',
    tests: { 'F12.noeviction': `${LAB}/memory.test.ts` },
  },
  F13: {
    fault: 'maxmemory with allkeys-lru: the server forgets',
    promise: '0 ended sessions are accepted; those that were evicted are told as "lost"',
    tests: { 'F13.lru': `${LAB}/memory.test.ts` },
  },
  F14: {
    fault:
      'The server refuses to write: MISCONF (it cannot save), NOREPLICAS (too few replicas for min-replicas-to-write)',
    promise:
      'Reads work; an ending is reported as not durable, holds in this process at once, and in Redis after the repair',
    tests: {
      'F14.misconf': `${INTEGRATION}/redis-durability.test.ts`,
      'F14.noreplicas': `${INTEGRATION}/redis-durability.test.ts`,
    },
  },
  F15: {
    fault: 'An endless script of another client',
    promise:
      'As F6: errors within the deadline, back within 1 s of its end. Our own scripts never hold the server for long',
    tests: { 'F15.endless': `${LAB}/busy-server.test.ts`, 'F15.own': `${LAB}/busy-server.test.ts` },
  },
  F16: {
    fault: '1,500 slots of a cluster move under load',
    promise: '0 errors reach a caller, 0 counts are lost',
    tests: { 'F16.resharding': `${INTEGRATION}/redis-cluster.test.ts` },
  },
  F17: {
    fault: 'A replica whose clock is an hour off is promoted; the clock of an application is 5 minutes off',
    promise:
      'No session outlives the absolute expiry by more than 5 s; writes go on. An application ends sessions by its own clock: one that is wrong by minutes signs no user out for hours',
    tests: {
      'F17.behind': `${LAB}/clocks.test.ts`,
      'F17.ahead': `${LAB}/clocks.test.ts`,
      'F17.application': `${LAB}/clocks.test.ts`,
    },
  },
  F18: {
    fault: 'Hundreds of callers in several processes at the expiry of one token',
    promise: 'Exactly one request to the provider, the same new token for all',
    tests: { 'F18.stampede': `${INTEGRATION}/tokens-refresh.test.ts` },
  },
  F19: {
    fault: 'The process that refreshes is killed while the provider is being asked',
    promise: 'At most one request more; the sign-in lives on',
    tests: { 'F19.killed': `${INTEGRATION}/tokens-refresh.test.ts` },
  },
  F20: {
    fault: 'The process that refreshes is stopped for longer than its lease, and goes on',
    promise: 'Its late write is refused, and no caller gets its token',
    tests: { 'F20.paused': `${INTEGRATION}/tokens-refresh.test.ts` },
  },
  F21: {
    fault: 'The provider answers 429 with Retry-After, 5xx, or not at all',
    promise: 'A token that is still valid is served; Retry-After holds for all processes; no user is signed out',
    tests: {
      'F21.retry-after': `${INTEGRATION}/tokens-failures.test.ts`,
      'F21.unavailable': `${INTEGRATION}/tokens-failures.test.ts`,
      'F21.reset': `${INTEGRATION}/tokens-failures.test.ts`,
    },
  },
  F22: {
    fault: 'The provider says invalid_grant',
    promise: 'Every caller hears that the user has to sign in; no process uses that grant again; the tokens are erased',
    tests: { 'F22.invalid-grant': `${LAB}/rejected-grant.test.ts` },
  },
  F23: {
    fault: 'A failover of Redis while refresh tokens rotate, at a provider that takes an old one for theft',
    promise:
      '0 sign-ins are lost when the primary dies: what it has acknowledged, the replica has. With `durability` also 0 when the primary is cut off and goes on for a moment, as long as the process lives that got the new token. **Not promised** without it: what only such a primary has taken is lost, and with it the sign-in',
    tests: { 'F23.rotation': `${LAB}/failover-rotation.test.ts`, 'F23.durable': `${LAB}/failover-rotation.test.ts` },
  },
  F24: {
    fault: 'The provider changes its keys, is flooded with unknown ones, or does not publish them for a while',
    promise: '0 valid sign-ins fail while the last good keys hold; the key set is not fetched for each token',
    tests: {
      'F24.rotation': `${LAB}/provider-keys.test.ts`,
      'F24.away': `${LAB}/provider-keys.test.ts`,
      'F24.flood': `${INTEGRATION}/forged-id-tokens.test.ts`,
    },
  },
  F25: {
    fault: "The provider's metadata name another issuer",
    promise: 'Refused with COATCHECK_OIDC_DISCOVERY; no user signs in',
    tests: { 'F25.issuer': `${INTEGRATION}/sign-in.test.ts` },
  },
  F26: {
    fault: 'The password is rotated, the ACL user disabled, a permission removed, the certificate expired',
    promise: 'Its own error code within the deadline; new credentials without a restart; never plain text',
    tests: {
      'F26.rotated': `${INTEGRATION}/redis-credentials.test.ts`,
      'F26.disabled': `${LAB}/access.test.ts`,
      'F26.permission': `${LAB}/access.test.ts`,
      'F26.certificate': `${LAB}/access.test.ts`,
    },
  },
  F27: {
    fault: 'Two builds at once, as in a rolling deployment',
    promise:
      "Each reads, writes and ends the other's sessions and tokens; no user is signed out. Records of 0.1.0 stay readable",
    tests: { 'F27.builds': `${LAB}/two-builds.test.ts`, 'F27.records': `${LAB}/two-builds.test.ts` },
  },
  F28: {
    fault: 'The event loop of a process is blocked',
    promise: 'It times nothing out that has arrived; no lease is believed after its end; one refresh',
    tests: {
      'F28.store': `${INTEGRATION}/redis-faults.test.ts`,
      'F28.lease': `${INTEGRATION}/tokens-refresh.test.ts`,
    },
  },
  F29: {
    fault:
      'A user of 10,000 sessions, a session of 1 MB, a cookie header of 16 kB, hundreds of thousands of anonymous requests',
    promise: 'Bounded time, an error with a code, 0 keys for visitors without a session',
    tests: {
      'F29.sessions': `${LAB}/sizes.test.ts`,
      'F29.record': `${LAB}/sizes.test.ts`,
      'F29.header': `${LAB}/sizes.test.ts`,
      'F29.anonymous': `${LAB}/sizes.test.ts`,
    },
  },
  F30: {
    fault: 'SIGTERM under load',
    promise:
      'Operations in flight finish or fail within the deadline; `close()` carries out what was still to be ended',
    tests: { 'F30.sigterm': `${LAB}/shutdown.test.ts`, 'F30.flush': `${LAB}/shutdown.test.ts` },
  },
} as const

export type FaultId = keyof typeof faults
/** Of one test: the fault, and which of its tests. */
export type TestId = { [Id in FaultId]: keyof (typeof faults)[Id]['tests'] }[FaultId]

/** In the order of their numbers, which is that of the table. */
export const faultList: readonly {
  readonly id: string
  readonly fault: string
  readonly promise: string
  readonly tests: Readonly<Record<string, string>>
}[] = Object.entries(faults).map(([id, fault]) => ({ id, ...fault }))
