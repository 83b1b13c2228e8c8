/**
 * Client port that reports each operation: as the event `redis.operation` and to traces. Without listeners it only passes calls on. It
 * wraps the deadline and all retries, so that metrics match what the caller observed.
 */
import type { Clock } from '../core/clock.ts'
import { isCoatcheckError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import { redisOutcomeOf } from '../core/operations.ts'
import type { RedisClientPort } from './client-port.ts'
import { isLateReply, type RedisScript } from './script.ts'

/** Every member of the port, so that a wrapper that forgets an optional one does not compile. */
type WholePort = { readonly [Name in keyof RedisClientPort]-?: RedisClientPort[Name] | undefined }

/** @param server for a connection that always leads to the same server; `null` if the server can change */
export function observedClient(
  client: RedisClientPort,
  { events, clock }: { readonly events: EventBus; readonly clock: Clock },
  server: string | null,
): RedisClientPort {
  const where = server === null ? {} : { server }

  const timed = async <T>(operation: string, run: () => Promise<T>): Promise<T> => {
    const startedMs = clock.monotonic()
    const report = (code: string | null): void =>
      events.emit('redis.operation', {
        operation,
        outcome: code === null ? 'ok' : redisOutcomeOf(code),
        durationMs: clock.monotonic() - startedMs,
        ...where,
        ...(code !== null && { code }),
      })
    try {
      const reply = await run()
      report(isLateReply(reply) ? 'COATCHECK_REDIS_TIMEOUT' : null)
      return reply
    } catch (error) {
      report(isCoatcheckError(error) ? error.code : 'UNKNOWN')
      throw error
    }
  }

  const observed = <T>(command: string, script: RedisScript | null, run: () => Promise<T>): Promise<T> => {
    const name = script?.name ?? command
    const work = events.hasListeners('redis.operation') ? () => timed(name, run) : run
    const facts = { command, ...(script && { script: script.name }), ...where }
    return events.isObserved ? events.operation({ name: 'redis', facts }, work) : work()
  }
  const isWatched = (): boolean => events.isObserved || events.hasListeners('redis.operation')

  const port: WholePort = {
    get isDurable() {
      return client.isDurable
    },
    isSharded: client.isSharded,
    writeTimeoutMs: client.writeTimeoutMs,
    lastingTimeoutMs: client.lastingTimeoutMs,
    command: (key, args, options) =>
      isWatched()
        ? observed(String(args[0]).toUpperCase(), null, () => client.command(key, args, options))
        : client.command(key, args, options),
    script: (script, keys, args, options) =>
      isWatched()
        ? observed('EVALSHA', script, () => client.script(script, keys, args, options))
        : client.script(script, keys, args, options),
    verifyAlignment: (key) => client.verifyAlignment(key),
    epochOf: (key) => client.epochOf(key),
    lasting: (script, keys, args, options) =>
      isWatched()
        ? observed('EVALSHA', script, () => client.lasting(script, keys, args, options))
        : client.lasting(script, keys, args, options),
    servers: () => client.servers(),
    watch: (channel, listener) => client.watch(channel, listener),
    track: (prefixes, maxStaleMs, changed) => client.track(prefixes, maxStaleMs, changed),
    serverNow: (key) => client.serverNow(key),
    uptime: (key) => client.uptime(key),
    ready: () => client.ready(),
    close: () => client.close(),
  }
  return port as RedisClientPort
}
