import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ASSUMED, MEASURED, SIZING_DEFAULTS, type SizingInput, sizeOf } from './sizing.ts'

const GIB = 2 ** 30
const million: SizingInput = {
  ...SIZING_DEFAULTS,
  sessions: 1_000_000,
  users: 1_000_000,
  readsPerSecond: 1000,
  writesPerSecond: 100,
}

describe('sizing', () => {
  it('gives measured figures at measured sizes, and lies between and beyond them on straight lines', () => {
    const bytesAt = (sessionBytes: number): number =>
      sizeOf({ ...million, sessions: 1, nodeBytes: 1000 * GIB, sessionBytes }).sessionsBytes
    for (const [json, bytes] of MEASURED.sessionBytes) expect(bytesAt(json)).toBeCloseTo(bytes, 6)
    const [[a, left], [b, right]] = [...MEASURED.sessionBytes] as [[number, number], [number, number]]
    expect(bytesAt((a + b) / 2)).toBeCloseTo((left + right) / 2, 6)
    expect(bytesAt(9000) - bytesAt(6000)).toBeCloseTo(bytesAt(6000) - bytesAt(3000), 6)
    expect(bytesAt(0)).toBeGreaterThan(200)
  })

  it('a million sessions fit on one node, and its replica holds the same', () => {
    const sizing = sizeOf(million)
    expect(sizing).toMatchObject({ primaries: 1, nodes: 2, tokensBytes: 0, warnings: [] })
    expect(sizing.sessionsBytes).toBe(1_000_000 * (MEASURED.sessionBytes.get(512) ?? 0))
    expect(sizing.totalBytes).toBe(2 * sizing.sessionsBytes)
    expect(sizing.perPrimary).toMatchObject({ readsPerSecond: 1000, writesPerSecond: 100 })
  })

  it('says what breaks first: memory, the thread or the network', () => {
    const many = sizeOf({ ...million, sessions: 100_000_000, users: 100_000_000 })
    expect(many.limit).toBe('memory')
    expect(many.primaries).toBe(Math.ceil(many.needs.memory))
    expect(many.perPrimary.bytes).toBeLessThan(SIZING_DEFAULTS.nodeBytes * (1 - SIZING_DEFAULTS.headroom))
    const busy = sizeOf({ ...million, sessionBytes: 300, readsPerSecond: 20_000, writesPerSecond: 60_000 })
    expect(busy.limit).toBe('cpu')
    expect(busy.perPrimary.cpuShare).toBeLessThanOrEqual(ASSUMED.cpuShare)
    const wide = sizeOf({ ...million, sessionBytes: 60_000, readsPerSecond: 20_000 })
    expect(wide.limit).toBe('network')
    expect(wide.perPrimary.networkBytesPerSecond).toBeLessThanOrEqual(ASSUMED.networkBytesPerSecond)
  })

  it('makes a cluster of at least three primaries, in which a session costs more', () => {
    const sizing = sizeOf({ ...million, sessions: 20_000_000, users: 20_000_000 })
    expect(sizing).toMatchObject({ primaries: 3, nodes: 6 })
    expect(sizing.sessionsBytes).toBe(20_000_000 * MEASURED.clusterSessionBytes)
    expect(sizing.warnings).toEqual([expect.stringContaining('Redis Cluster with 3 primaries, because of memory')])
  })

  it('counts tokens for each user, a grant included', () => {
    const one = MEASURED.tokenBytes.get(1) ?? 0
    expect(sizeOf({ ...million, users: 1000, resourcesPerUser: 1 }).tokensBytes).toBeCloseTo(1000 * one, 6)
    expect(sizeOf({ ...million, users: 0, resourcesPerUser: 5 }).tokensBytes).toBe(0)
    expect(sizeOf({ ...million, resourcesPerUser: 4 }).warnings.join()).toContain(
      'Tokens take more memory than sessions',
    )
  })

  it.each([
    [{ replicas: 0 }, 'Without a replica'],
    [{ headroom: 0.1 }, 'A snapshot or a full resynchronisation'],
    [{ nodeBytes: 100 * GIB }, 'Nodes this large'],
    [{ headroom: 0.001 }, 'The tables of keys take 0.0 GiB at once'],
    [{ sessions: 2e10 }, 'up to 1,000 nodes'],
    [{ users: 10_000 }, 'more than 8 sessions'],
    [{ nearCacheProcesses: 500 }, 'Telling near caches'],
    [{ writesPerSecond: 200_000 }, 'Add a new key to COATCHECK_KEYS at least every 63 days'],
  ])('warns of %j', (change, text) => {
    expect(sizeOf(million).warnings.join()).not.toContain(text)
    expect(sizeOf({ ...million, ...change }).warnings.join()).toContain(text)
  })

  it.each([{ sessions: -1 }, { users: Number.NaN }, { headroom: 1 }, { nodeBytes: 0 }, { readsPerSecond: Infinity }])(
    'refuses %j',
    (change) => {
      expect(() => sizeOf({ ...million, ...change })).toThrow(RangeError)
    },
  )

  it('nothing at all needs one node', () => {
    expect(sizeOf({ ...million, sessions: 0, users: 0, readsPerSecond: 0, writesPerSecond: 0 })).toMatchObject({
      primaries: 1,
      totalBytes: 0,
    })
  })
})

describe('docs/sizing.md', () => {
  it('shows the figures that are computed with', () => {
    const page = readFileSync(new URL('../../docs/sizing.md', import.meta.url), 'utf8')
    const shown = new Map(
      [...page.matchAll(/^\| ([^|]+?) +\| +([\d,.]+) \|$/gm)].map(([, what = '', value = '']) => [
        what,
        Number(value.replaceAll(',', '')),
      ]),
    )
    const computed = new Map<string, number>([
      ...[...MEASURED.sessionBytes].map(([json, bytes]): [string, number] => [
        `a session of ${json.toLocaleString('en')} B, bytes`,
        bytes,
      ]),
      ['a session of 512 B in a cluster, bytes', MEASURED.clusterSessionBytes],
      ...[...MEASURED.tokenBytes].map(([resources, bytes]): [string, number] => [
        `tokens of a user, ${resources} ${resources === 1 ? 'resource' : 'resources'}, bytes`,
        bytes,
      ]),
      ['a read, µs of the server', MEASURED.readMicros],
      ['a write, µs of the server', MEASURED.writeMicros],
      ['nine reads and a write, each, on one node, µs of the server', MEASURED.mixedMicros],
      ['nine reads and a write, each, in a cluster, µs of the servers', MEASURED.clusterMixedMicros],
      ['a write, for each process with a near cache, µs of the server', MEASURED.subscriberMicros],
    ])
    expect(shown).toEqual(computed)
  })
})
