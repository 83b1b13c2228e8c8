/** Instances of the race application, each a process of its own, on one Redis. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'node:http'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import type { Options } from '../../src/config/types.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'

const APP = fileURLToPath(new URL('./processes/race-app.mjs', import.meta.url))
const COOKIE = '__Host-coatcheck'

export type Data = Record<string, unknown>

export interface RaceInstance {
  /** Sends one request with this ticket. @returns status and body. */
  send(method: 'GET' | 'POST', path: string, ticket: string | null): Promise<{ status: number; body: string }>
}

export interface RaceWorld {
  readonly redis: RedisServer
  readonly instances: readonly RaceInstance[]
  /** In this process, each with a connection of its own. */
  readonly auths: readonly Coatcheck<Data>[]
  close(): Promise<void>
}

export async function startRaceWorld(processes: number, session?: Options<Data>['session']): Promise<RaceWorld> {
  const redis = await startRedisServer()
  const keys = randomBytes(32).toString('base64')
  const children = await Promise.all(Array.from({ length: processes }, () => startInstance(redis.url, keys)))
  const auths = [5000, 6000].map((writeTimeoutMs) =>
    coatcheck<Data>({
      // Another deadline is another store, so another connection.
      store: redisStore({ url: redis.url, writeTimeoutMs, commandTimeoutMs: 2000 }),
      keys,
      baseUrl: 'https://race.example',
      ...(session && { session }),
    }),
  )
  await Promise.all(auths.map((auth) => auth.ready()))
  return {
    redis,
    instances: children.map(({ instance }) => instance),
    auths,
    async close() {
      await Promise.all([...auths.map((auth) => auth.close()), ...children.map(({ stop }) => stop())])
      await redis.stop()
    },
  }
}

async function startInstance(
  redisUrl: string,
  keys: string,
): Promise<{ instance: RaceInstance; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [APP], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, REDIS_URL: redisUrl, COATCHECK_KEYS: keys, STORE: JSON.stringify(PATIENT) },
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const port = Number(line.split(' ')[1])
  const agent = new Agent({ keepAlive: true, maxSockets: 128 })
  return {
    instance: {
      send: (method, path, ticket) =>
        new Promise((resolve, reject) => {
          const headers = { 'sec-fetch-site': 'same-origin', ...(ticket !== null && { cookie: `${COOKIE}=${ticket}` }) }
          const message = request({ host: '127.0.0.1', port, method, path, agent, headers }, (response) => {
            let body = ''
            response.setEncoding('utf8')
            response.on('data', (chunk: string) => (body += chunk))
            response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
          })
          message.on('error', reject)
          message.end()
        }),
    },
    async stop() {
      agent.destroy()
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}
