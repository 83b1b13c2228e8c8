/**
 * A primary that is killed, or stopped and wakes after its successor is there, while workers end sessions for good and others read
 * them: F4 and F5 of docs/faults.md, with real sentinels and a history that is checked.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { startSentinelGroup, until } from '../support/redis-topologies.ts'
import { History } from './history.ts'
import { isLab, observed } from './report.ts'

const ROUNDS = isLab ? 3 : 1
const SESSIONS = 400
const ENDERS = 4
const READERS = 4
const keys = randomBytes(32).toString('base64')
const durability = { replicas: 1, timeoutMs: 100 }

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function open(options: RedisStoreOptions): Coatcheck<Record<string, unknown>> {
  const auth = coatcheck({ store: redisStore(options), keys, baseUrl: 'https://sessions.example' })
  closing.push(() => auth.close())
  return auth
}

async function play(fault: 'kill' | 'pause'): Promise<{ history: History; late: number }> {
  // With one replica there is no other that could be promoted than the one that acknowledged.
  const group = await startSentinelGroup({ replicas: 1 })
  closing.push(() => group.stop())
  const sentinels = group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
  const auth = open({ url: 'redis://mymaster', sentinels, durability })
  const primary = await group.primary()
  const old = open({ url: primary.url, durability })
  await Promise.all([auth.ready(), old.ready()])
  const all = await Promise.all(
    Array.from({ length: SESSIONS }, async (_, i) => {
      const { ticket, session } = await auth.sessions.create({ userId: `u${i % 40}` })
      return { ticket, id: session.id ?? '' }
    }),
  )
  // The last ones are for the old primary, when it wakes.
  const [ending, late] = [all.slice(0, -20), all.slice(-20)]
  const history = new History()
  let isOver = false
  const enders = Array.from({ length: ENDERS }, async (_, worker) => {
    for (let i = worker; i < ending.length; i += ENDERS) {
      const { id = '' } = ending[i] ?? {}
      await history.ending(`ender ${worker}`, id, () => auth.sessions.revoke(id))
      await sleep(30)
    }
  })
  const readers = Array.from({ length: READERS }, async (_, worker) => {
    for (let i = worker; !isOver; i = (i + 7) % ending.length) {
      const { id = '', ticket = '' } = ending[i] ?? {}
      await history.read(`reader ${worker}`, id, () => auth.sessions.find(ticket))
      await sleep(1)
    }
  })
  await sleep(300)
  if (fault === 'kill') await primary.kill()
  else primary.pause()
  await until(async () => {
    const current = await group.primary()
    return current !== primary && (await current.cli('role')).startsWith('master')
  })
  let lateDurable = 0
  if (fault === 'pause') {
    primary.resume()
    // It still believes that it is the primary, and whoever still stands with it asks at once.
    const answers = await Promise.all(late.map(({ id }) => history.ending('old', id, () => old.sessions.revoke(id))))
    lateDurable = answers.filter((answer) => answer === 'durable').length
  }
  await Promise.all(enders)
  await until(() => auth.ready().then(() => true))
  for (const { id, ticket } of all) await history.read('last', id, () => auth.sessions.find(ticket))
  isOver = true
  await Promise.all(readers)
  return { history, late: lateDurable }
}

test.each([
  ['kill', 'F4.history'],
  ['pause', 'F5.history'],
] as const)(
  '%s of the primary while sessions are ended: what was durable stays ended',
  { timeout: 240_000 },
  async (fault, id) => {
    let durable = 0
    let others = 0
    let reads = 0
    for (let i = 0; i < ROUNDS; i++) {
      const { history, late } = await play(fault)
      expect(history.violations()).toEqual([])
      expect(late).toBe(0)
      const ended = history.revocations.filter(({ answer }) => answer === 'durable').length
      expect(ended).toBeGreaterThan(0)
      durable += ended
      others += history.revocations.length - ended
      reads += history.reads.length
      expect(history.reads.filter(({ answer }) => answer === 'alive').length).toBeGreaterThan(0)
      for (const close of closing.splice(0).reverse()) await close()
    }
    const old = fault === 'pause' ? `; 0 of ${ROUNDS * 20} acknowledged by the old primary` : ''
    observed(
      id,
      `${ROUNDS} failovers: 0 of ${durable} durable endings undone by ${reads.toLocaleString('en')} reads, ${others} not durable or failed${old}`,
    )
  },
)
