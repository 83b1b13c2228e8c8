/**
 * Runs the drivers' scripts with their two common arguments: the latest execution time, and the time offset of tests. Turns the reply
 * `late` into the timeout error.
 */
import { RedisError } from '../core/errors.ts'
import { type RedisArgument, type RedisClientPort, type RedisReply, WRITE_TIMEOUT_MS } from './client-port.ts'
import type { RepeatableScript } from './repeatable-script.ts'
import { readReply } from './reply-alignment.ts'
import { listReply } from './reply-shape.ts'
import { isLateReply, type RedisScript } from './script.ts'

export interface LastingReply {
  readonly reply: readonly RedisReply[]
  readonly durable: boolean
}

export interface ScriptRunner {
  /**
   * Executes within the deadline or not at all.
   * @throws {RedisError} `COATCHECK_REDIS_TIMEOUT`; the script wrote nothing
   */
  inTime(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<readonly RedisReply[]>
  /** Like `inTime`, and reports durability. It has more time, because it may first wait for the replicas of earlier writes. */
  lastingInTime(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<LastingReply>
  /** Like `always`, and reports durability: see `RedisClientPort.lasting`. */
  lastingOf(step: RepeatableScript): Promise<LastingReply>
  /** Returns the call of `always` as a step, to run now or later. */
  repeatable(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): RepeatableScript
  /** Executes whenever it arrives. Used to end sessions and delete tokens, where late execution is better than none. */
  always(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<readonly RedisReply[]>
}

export function createScriptRunner(client: RedisClientPort, timeOffsetMs: () => number): ScriptRunner {
  const deadlineMs = client.writeTimeoutMs ?? WRITE_TIMEOUT_MS
  /** In the server's time. */
  const notAfter = (keys: readonly string[], inMs: number): number => Math.ceil(client.serverNow(keys[0] ?? '')) + inMs
  const run = async (
    script: RedisScript,
    keys: readonly string[],
    notAfterMs: number,
    args: readonly RedisArgument[],
  ): Promise<readonly RedisReply[]> => {
    const all = [String(notAfterMs), String(timeOffsetMs()), ...args]
    return listed(keys, await client.script(script, keys, all, { deadlineMs }))
  }
  const listed = (keys: readonly string[], reply: RedisReply): readonly RedisReply[] =>
    readReply(client, keys[0] ?? '', reply, listReply)

  return {
    always: (script, keys, args) => run(script, keys, 0, args),
    async lastingOf({ script, keys, args }) {
      const { reply, durable } = await client.lasting(script, keys, args)
      return { reply: listed(keys, reply), durable }
    },
    repeatable: (script, keys, args) => ({ script, keys, args: ['0', String(timeOffsetMs()), ...args] }),
    async inTime(script, keys, args) {
      return onTime(script, await run(script, keys, notAfter(keys, deadlineMs), args))
    },
    async lastingInTime(script, keys, args) {
      const lastingMs = client.lastingTimeoutMs ?? deadlineMs
      const all = [String(notAfter(keys, lastingMs)), String(timeOffsetMs()), ...args]
      const { reply, durable } = await client.lasting(script, keys, all, { deadlineMs: lastingMs })
      return { reply: onTime(script, listed(keys, reply)), durable }
    },
  }
}

function onTime(script: RedisScript, reply: readonly RedisReply[]): readonly RedisReply[] {
  if (!isLateReply(reply)) return reply
  throw new RedisError('COATCHECK_REDIS_TIMEOUT', {
    message: `The script ${script.name} arrived after its deadline.`,
    why: 'The server, the network or this process was too slow. Nothing was changed: a late script does nothing.',
  })
}
