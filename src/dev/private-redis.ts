/**
 * A private redis-server for `coatcheck dev`: its own folder, socket and password, nothing persisted. It ends when the command ends. The
 * application reaches it through a proxy that fails on demand.
 *
 * The server listens on a unix socket in its folder and on no port, so no other user can take its address before it starts. Other users
 * of the machine can reach the port of the proxy. The password is in a file that only this user can read, and in `REDIS_URL` of the
 * application. No process argument holds it, and `coatcheck dev` prints the address without it.
 */
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../core/clock.ts'
import { ConfigError } from '../core/errors.ts'
import { systemRandom } from '../core/random.ts'
import { type ProxyMode, startFaultProxy } from '../testing/fault-proxy.ts'
import type { RedisFault } from './fault-grammar.ts'
import type { RedisSwitch } from './fault-switches.ts'
import { startGuard } from './guard.ts'
import { isAccepting } from './listening.ts'

const START_MS = 10_000
const PROBE_MS = 20
const PASSWORD_BYTES = 32

export interface PrivateRedis {
  /** URL for the application: the proxy, with the password. */
  readonly url: string
  readonly switch: RedisSwitch
  close(): Promise<void>
}

/** Whether `redis-server` is on `PATH`. */
export function hasRedisServer(path = process.env.PATH ?? ''): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'redis-server'), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID` if there is no `redis-server`, or it does not start */
export async function startPrivateRedis(): Promise<PrivateRedis> {
  if (!hasRedisServer()) throw refuse('There is no redis-server on PATH')
  const dir = mkdtempSync(resolve(tmpdir(), 'coatcheck-dev-'))
  const socket = join(dir, 'redis.sock')
  const password = systemRandom.bytes(PASSWORD_BYTES).toString('base64url')
  const settings = join(dir, 'redis.conf')
  writeFileSync(settings, `requirepass ${password}\n`, { mode: 0o600 })
  const args = [
    settings,
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--unixsocketperm',
    '700',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const guard = startGuard(
    {
      before: 'dir=$1; shift; redis-server "$@" >"$dir/log" 2>&1 & redis=$!; echo started',
      after: 'kill -9 $redis 2>/dev/null; wait $redis 2>/dev/null; rm -rf "$dir"',
    },
    [dir, ...args],
    'pipe',
  )
  const { stdout } = guard.shell
  if (stdout) await once(createInterface({ input: stdout }), 'line')
  const deadline = systemClock.monotonic() + START_MS
  while (!(await isAccepting({ path: socket }))) {
    if (systemClock.monotonic() > deadline) {
      await guard.release()
      throw refuse('The private redis-server does not start')
    }
    await delay(PROBE_MS)
  }
  const proxy = await startFaultProxy({ target: { path: socket } })
  const url = new URL(proxy.url)
  url.password = password
  return {
    url: url.href,
    switch: (fault) => proxy.set(fault === null ? { kind: 'pass' } : modeOf(fault)),
    async close() {
      await proxy.close()
      await guard.release()
    },
  }
}

function refuse(why: string): ConfigError {
  return new ConfigError('COATCHECK_CONFIG_INVALID', { message: `${why}; --redis memory does without it.` })
}

function modeOf(fault: RedisFault): ProxyMode {
  switch (fault.how) {
    case 'down':
      return { kind: 'cut' }
    case 'hang':
      return { kind: 'swallow' }
    case 'slow':
      return { kind: 'delay', ms: fault.delayMs }
  }
}
