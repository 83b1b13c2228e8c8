/**
 * An old process that read a session before its end writes it back afterwards. The new process that ended the session removes the old key
 * once more. Only the timers of that removal are faked; the Redis is a real one.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { LATE_MS } from '../../src/migrate/late-removals.ts'
import { type DualReadWorld, type NewProcess, oldText, startDualReadWorld } from './dual-read-world.ts'

/** No test waits until a key ends by itself. */
const TTL_MS = 3_600_000

let world: DualReadWorld
let process: NewProcess
let sid: string
let key: string
beforeAll(async () => {
  world = await startDualReadWorld()
})
afterAll(() => world.stop())
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  sid = randomBytes(16).toString('hex')
  key = `sess:${sid}`
  await world.old.create(key, oldText({ user: `user of ${sid}` }), TTL_MS)
  process = await world.start('read')
  await process.sessions.find(sid)
})
afterEach(async () => {
  vi.useRealTimers()
  await process.close()
})

const ends = {
  end: () => process.sessions.end(sid),
  revoke: () => process.sessions.revoke(process.sessions.idOf(sid)),
  revokeByUser: () => process.sessions.revokeByUser(`user of ${sid}`),
  clear: () => process.sessions.clear(),
}

describe.each(Object.entries(ends))('%s', (_name, end) => {
  it('removes an old key again that an old process writes late', async () => {
    await end()
    expect(await world.old.read(key)).toBeNull()
    await world.old.create(key, oldText({ late: true }), TTL_MS)
    vi.advanceTimersByTime(LATE_MS)
    vi.useRealTimers()
    await expect.poll(() => world.old.read(key)).toBeNull()
  })

  it('leaves the old key of a session that another process created again under the same id', async () => {
    await end()
    const other = await world.start('read')
    expect(await other.sessions.save(sid, oldText({ n: 2 }), { ttlMs: TTL_MS, isNew: true })).not.toBeNull()
    await other.close()
    const { count } = process.steps
    vi.advanceTimersByTime(LATE_MS)
    vi.useRealTimers()
    // The second removal looks for a session of ours, and finds one.
    await expect.poll(() => process.steps.count).toBeGreaterThan(count)
    expect(await process.sessions.find(sid)).not.toBeNull()
    expect((await world.old.read(key))?.text).toContain('"n":2')
  })

  it('plans nothing that outlives the store', async () => {
    await end()
    await process.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})
