/**
 * Measuring: subjects take turns in short rounds, in one process against one Redis, so that the noise of the machine hits all
 * of them alike. Quoted are medians over the rounds, and the median of the ratios within each round.
 */
import { performance } from 'node:perf_hooks'

/**
 * @param {{ name: string, run: (i: number) => Promise<unknown> }[]} subjects the first one is the floor
 * @param {{ concurrency: number, rounds: number, roundMs: number, commandCount: () => Promise<number> }} options
 * @returns rows: operations per second, ratio to the floor, client CPU µs and Redis commands per operation
 */
export async function compare(subjects, { concurrency, rounds, roundMs, commandCount, outputBytes }) {
  const samples = subjects.map(() => [])
  for (const { run } of subjects) await drive(run, concurrency, roundMs / 2)
  for (let round = 0; round < rounds; round++) {
    // Each round starts with another subject: none of them always follows the same neighbour.
    for (let turn = 0; turn < subjects.length; turn++) {
      const index = (round + turn) % subjects.length
      samples[index].push(await drive(subjects[index].run, concurrency, roundMs))
    }
  }
  const costs = []
  for (const { run } of subjects) costs.push(await costPerOperation(run, commandCount, outputBytes))
  return subjects.map(({ name }, index) => ({
    name,
    opsPerSecond: Math.round(median(samples[index].map((s) => s.opsPerSecond))),
    ratio: median(samples[index].map((s, round) => s.opsPerSecond / samples[0][round].opsPerSecond)),
    cpuMicros: median(samples[index].map((s) => s.cpuMicros)),
    ...costs[index],
  }))
}

/** Keeps `concurrency` operations under way for `ms`. */
async function drive(run, concurrency, ms) {
  globalThis.gc?.()
  let operations = 0
  let next = Math.floor(Math.random() * 1000)
  const startCpu = process.cpuUsage()
  const start = performance.now()
  const end = start + ms
  const lane = async () => {
    while (performance.now() < end) {
      await run(next++)
      operations++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  const elapsed = performance.now() - start
  const cpu = process.cpuUsage(startCpu)
  return { opsPerSecond: (operations / elapsed) * 1000, cpuMicros: (cpu.user + cpu.system) / operations }
}

async function costPerOperation(run, commandCount, outputBytes = () => 0) {
  const operations = 200
  const bytesBefore = await outputBytes()
  const before = await commandCount()
  for (let i = 0; i < operations; i++) await run(i)
  // The counting itself is one command; its own answers are a few bytes per operation.
  const commandsPerOperation = Math.round(((await commandCount()) - before - 1) / (operations / 100)) / 100
  return { commandsPerOperation, bytesPerOperation: Math.round(((await outputBytes()) - bytesBefore) / operations) }
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
