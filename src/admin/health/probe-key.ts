/** Tests a short-lived key on each server: write, read, expiry, removal, and a script. It uses the same rights as sign-ins. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'
import type { RedisArgument, RedisClientPort } from '../../redis/client-port.ts'
import type { KeyFinder } from '../../redis/key-finder.ts'
import { defineScript } from '../../redis/script.ts'
import type { RedisKeys } from '../../stores/keys.ts'
import type { HealthNotes } from './health-report.ts'
import { CHECK_DEADLINE_MS, type ServerReport } from './server-info.ts'

const LIFE_MS = 40
/** Redis hides an expired key at once. The rest is reserve for a busy machine. */
const GONE_WITHIN_MS = 2000
const NAME = 'Write and read'
const SCRIPT = defineScript('probe', "return redis.call('GET', KEYS[1])")

interface Given {
  readonly client: RedisClientPort
  readonly keys: RedisKeys
  readonly find: KeyFinder
  readonly clock: Clock
  /** Makes the name unique. */
  readonly nonce: string
}

/** @returns whether the test passed */
export async function checkProbeKey(
  notes: HealthNotes,
  { port, server }: ServerReport,
  given: Given,
): Promise<boolean> {
  const { client, keys, find, clock, nonce } = given
  const key = find(port, (number) => keys.signIn(`doctor-${nonce}-${number}`))
  if (key === null) {
    notes.skipped(NAME, 'no key was found that lies on this server', server)
    return true
  }
  const run = (...args: readonly RedisArgument[]) => client.command(key, args, { deadlineMs: CHECK_DEADLINE_MS })
  try {
    await run('SET', key, nonce, 'PX', String(CHECK_DEADLINE_MS))
    const read = await client.script(SCRIPT, [key], [], { deadlineMs: CHECK_DEADLINE_MS })
    await run('SET', key, nonce, 'PX', String(LIFE_MS))
    const end = clock.monotonic() + GONE_WITHIN_MS
    while ((await run('GET', key)) !== null) {
      if (clock.monotonic() > end) {
        notes.found(
          'DOCTOR_TTL_IGNORED',
          NAME,
          `a key of ${LIFE_MS} ms is still there after ${GONE_WITHIN_MS} ms`,
          server,
        )
        await run('DEL', key)
        return false
      }
      await sleep(LIFE_MS)
    }
    await run('DEL', key)
    if (String(read) === nonce) notes.ok(NAME, 'a key, its lifetime and a script do what they should', server)
    return true
  } catch (error) {
    notes.failed(NAME, error, server)
    return false
  }
}
