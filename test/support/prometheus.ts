/** A real Prometheus for tests: its own port and folder, a scrape every half second. It ends with this process however that ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { freePort } from './redis-server.ts'

const START_MS = 120_000
const GUARD = 'prometheus "$@" >/dev/null 2>&1 & cat >/dev/null; kill -9 $! 2>/dev/null; wait $!'

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

export interface Prometheus {
  query(expression: string): Promise<readonly Sample[]>
  /** The one value of an expression; `NaN` when there is none. */
  value(expression: string): Promise<number>
  stop(): Promise<void>
}

/** @param targets `host:port` of what serves `/metrics` */
export async function startPrometheus(targets: readonly string[]): Promise<Prometheus> {
  const dir = mkdtempSync(join(tmpdir(), 'coatcheck-prometheus-'))
  const address = `127.0.0.1:${String(await freePort())}`
  const config = join(dir, 'prometheus.yml')
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
      scrape_configs: [{ job_name: 'demo', static_configs: [{ targets }] }],
    }),
  )
  const options = [`--config.file=${config}`, `--storage.tsdb.path=${join(dir, 'data')}`]
  const child = spawn('sh', ['-c', GUARD, 'sh', ...options, `--web.listen-address=${address}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const isReady = (): Promise<boolean> =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await vi.waitUntil(isReady, { timeout: START_MS, interval: 100 })
  const query: Prometheus['query'] = async (expression) => {
    const answer = await fetch(`http://${address}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expression }),
    })
    const { status, error, data } = (await answer.json()) as {
      status: string
      error?: string
      data?: { result: { metric: Sample['metric']; value: [number, string] }[] }
    }
    if (status !== 'success') throw new Error(`${expression}: ${error ?? ''}`)
    return (data?.result ?? []).map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
  }
  return {
    query,
    value: async (expression) => (await query(expression))[0]?.value ?? NaN,
    async stop() {
      const closed = once(child, 'close')
      child.stdin.end()
      await closed
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
