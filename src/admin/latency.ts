/** Measures the latency of Redis from this process, through the client with its TLS, credentials and deadlines. */
import { createHistogram } from 'node:perf_hooks'
import type { Clock } from '../core/clock.ts'
import type { ServerPort } from '../redis/client-port.ts'

/** Round-trip times of one server, measured with `PING`. */
export interface Latency {
  /** Address of the server: `host:port`, or the path of a socket. */
  readonly server: string
  /** Number of measured round trips. */
  readonly count: number
  /** Shortest round trip, milliseconds with a resolution of 0.001. */
  readonly minMs: number
  /** Median, milliseconds. */
  readonly p50Ms: number
  /** 95th percentile, milliseconds. */
  readonly p95Ms: number
  /** 99th percentile, milliseconds. */
  readonly p99Ms: number
  /** Longest round trip, milliseconds. */
  readonly maxMs: number
}

const MICROSECONDS = 1000

/**
 * Measures round-trip times with `PING`, one after the other.
 * @param server one of `context.server.client.servers()`
 * @param options `count`: number of round trips. `signal`: ends the measurement early; the result covers what was measured. `seen`:
 *   called after each round trip
 * @throws {RedisError} when a `PING` fails
 */
export async function measureLatency(
  server: ServerPort,
  clock: Clock,
  options: { count: number; signal: AbortSignal; seen?: (done: number) => void },
): Promise<Latency> {
  const { count, signal, seen } = options
  const microseconds = createHistogram()
  for (let done = 0; done < count && !signal.aborted; done++) {
    const begun = clock.monotonic()
    await server.command('', ['PING'])
    microseconds.record(Math.max(1, Math.round((clock.monotonic() - begun) * MICROSECONDS)))
    seen?.(done + 1)
  }
  const at = (percentile: number): number => microseconds.percentile(percentile) / MICROSECONDS
  return {
    server: server.endpoint,
    count: microseconds.count,
    minMs: microseconds.min / MICROSECONDS,
    p50Ms: at(50),
    p95Ms: at(95),
    p99Ms: at(99),
    maxMs: microseconds.max / MICROSECONDS,
  }
}
