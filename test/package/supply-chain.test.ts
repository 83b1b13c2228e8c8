/** The check of licenses and hashes refuses a lock file that it should refuse, and says what it could not look at. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { root } from './packing.ts'

interface Lock {
  readonly packages: Record<string, { license?: string; integrity?: string }>
}

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'coatcheck-lock-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The check of our lock file after a change; without a `registry`, at one that cannot be reached. */
async function check(
  change: (lock: Lock) => void,
  registry = 'http://127.0.0.1:9',
): Promise<{ code: number; lines: string[] }> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock
  change(lock)
  const file = join(folder, 'package-lock.json')
  writeFileSync(file, JSON.stringify(lock))
  const env = { ...process.env, npm_config_registry: registry, npm_config_cache: join(folder, 'cache') }
  const ending = await run(process.execPath, ['scripts/supply-chain.mjs', '--lock', file], { cwd: root, env }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: unknown) => error as { code: number; stdout: string },
  )
  return { code: ending.code, lines: ending.stdout.trimEnd().split('\n') }
}

function entry(lock: Lock, path: string): Lock['packages'][string] {
  const found = lock.packages[path]
  if (!found) throw new Error(`the lock file has no ${path}`)
  return found
}

test('passes without a registry, and says that known vulnerabilities were not checked', async () => {
  const { code, lines } = await check(() => undefined)
  expect(lines).toEqual([expect.stringMatching(/^note: known vulnerabilities were not checked/)])
  expect(code).toBe(0)
})

test('refuses a known vulnerability of a run-time dependency', async () => {
  const url = 'https://advisories.example/1'
  const advisory = { id: 1, url, title: 'A title', severity: 'high', vulnerable_versions: '<99.0.0' }
  const registry = createServer((request, response) => {
    const isBulk = request.url === '/-/npm/v1/security/advisories/bulk'
    response.writeHead(isBulk ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isBulk ? { jose: [advisory] } : {}))
  })
  registry.listen(0, '127.0.0.1')
  await once(registry, 'listening')
  try {
    const { port } = registry.address() as AddressInfo
    const { code, lines } = await check(() => undefined, `http://127.0.0.1:${port}`)
    expect(lines).toContainEqual(`jose: high, ${url}`)
    expect(code).toBe(1)
  } finally {
    registry.close()
  }
})

test.each([
  [
    'a license of a run-time dependency that is not in the list',
    (lock: Lock) => (entry(lock, 'node_modules/oauth4webapi').license = 'GPL-3.0-only'),
    /^oauth4webapi@[\d.]+: license GPL-3.0-only is not in the list/,
  ],
  [
    'a license that asks something of those who pass the code on, where the package is shipped',
    (lock: Lock) => (entry(lock, 'node_modules/@redis/client').license = 'MIT AND LGPL-3.0-or-later'),
    /^@redis\/client@[\d.]+: license MIT AND LGPL-3.0-or-later/,
  ],
  [
    'no license',
    (lock: Lock) => delete entry(lock, 'node_modules/jose').license,
    /^jose@[\d.]+: license unknown is not in the list/,
  ],
  [
    'a license of a development package that is not in its list',
    (lock: Lock) => (entry(lock, 'node_modules/vitest').license = 'SSPL-1.0'),
    /^vitest@[\d.]+: license SSPL-1.0/,
  ],
  [
    'a run-time dependency without a hash',
    (lock: Lock) => delete entry(lock, 'node_modules/jose').integrity,
    /^node_modules\/jose has no integrity hash/,
  ],
])('refuses %s', async (_name, change, message) => {
  const { code, lines } = await check(change)
  expect(lines).toContainEqual(expect.stringMatching(message))
  expect(code).toBe(1)
})
