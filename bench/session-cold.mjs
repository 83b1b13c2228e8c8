/**
 * The first read of a session in a process: more sessions than any cache holds, each read once, in random order. The floor is what nobody
 * who encrypts can go below with this client. Beside it: ours, and connect-redis in its defaults and at its best (time limit of commands
 * off), on `redis` 5 and 6. Each subject runs in a process of its own, in turn, so that none pays for the garbage of another.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median } from './harness.mjs'
import { withRedis } from './redis.mjs'

const CLIENT = fileURLToPath(new URL('./cold-client.mjs', import.meta.url))
const SIZES = [
  { bytes: 300, sessions: 100_000 },
  { bytes: 2000, sessions: 100_000 },
  { bytes: 8000, sessions: 30_000 },
]
/** `from`: the subject whose sessions it reads. */
const SUBJECTS = [
  { subject: 'floor', name: 'floor: raw GET + AES-GCM open + JSON.parse' },
  { subject: 'ours', name: 'coatcheck: sessions.find + session.data' },
  { subject: 'connect-redis@6', name: 'connect-redis: get + touch, redis 6' },
  { subject: 'connect-redis@6-best', name: 'the same, time limit off', from: 'connect-redis@6' },
  { subject: 'connect-redis@5', name: 'connect-redis: get + touch, redis 5', from: 'connect-redis@6' },
  { subject: 'connect-redis@5-best', name: 'the same, time limit off', from: 'connect-redis@6' },
]

export const title = 'session-cold'
export const roundsOf = (rounds) => Math.max(3, Math.ceil(rounds / 3))
export const columns = [
  ['reads/s', (row) => Math.round(row.opsPerSecond).toLocaleString('en')],
  ['ratio to floor', (row) => row.ratio.toFixed(2)],
  ['client CPU µs/read', (row) => row.cpuMicros.toFixed(1)],
  ['share of garbage collection', (row) => `${(row.gcShare * 100).toFixed(1)} %`],
  ['memory MiB', (row) => row.memoryMiB.toFixed(0)],
]

export async function run({ rounds, quick }) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-cold-'))
  const sections = []
  try {
    for (const { bytes, sessions } of SIZES) {
      const count = quick ? sessions / 20 : sessions
      const rows = await withRedis(({ url }) => measure({ bytes, count, url, folder, rounds: roundsOf(rounds) }))
      sections.push({ heading: `${bytes} B of JSON, ${count.toLocaleString('en')} sessions, each read once`, rows })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return sections
}

async function measure({ bytes, count, url, folder, rounds }) {
  const client = async (action, subject, from = subject) => {
    const args = [
      '--expose-gc',
      CLIENT,
      action,
      subject,
      String(bytes),
      String(count),
      url,
      join(folder, `${from}.txt`),
    ]
    return (await promisify(execFile)(process.execPath, args)).stdout
  }
  for (const { subject, from } of SUBJECTS) if (!from) await client('prepare', subject)
  const samples = SUBJECTS.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < SUBJECTS.length; turn++) {
      const index = (round + turn) % SUBJECTS.length
      const { subject, from } = SUBJECTS[index]
      samples[index].push(JSON.parse(await client('read', subject, from)))
    }
  }
  const of = (index, figure) => median(samples[index].map((sample) => sample[figure]))
  return SUBJECTS.map(({ name }, index) => ({
    name,
    ratio: median(samples[index].map((sample, round) => sample.opsPerSecond / samples[0][round].opsPerSecond)),
    opsPerSecond: of(index, 'opsPerSecond'),
    cpuMicros: of(index, 'cpuMicros'),
    gcShare: of(index, 'gcShare'),
    memoryMiB: of(index, 'memoryMiB'),
  }))
}
