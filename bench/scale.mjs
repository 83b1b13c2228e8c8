/** What grows with the number of sessions, nodes and processes, and what does not. docs/sizing.md builds on its figures. */
import { bytesOfTokens, bytesPerSession } from './scale-bytes.mjs'
import { growth } from './scale-growth.mjs'
import { clusterAgainstOne, nearCacheCost } from './scale-processes.mjs'

export const title = 'scale'
/** Each of them is a round on each of many servers. */
export const roundsOf = (rounds) => Math.min(rounds, 9)

/** `quick`: small numbers, to see that it works. */
export async function run({ rounds, roundMs, quick }) {
  const some = { rounds: quick ? 2 : roundsOf(rounds), roundMs }
  const parts = [
    () => growth({ sizes: quick ? [6000, 10_000] : [10_000, 100_000, 1_000_000], ...some }),
    () => bytesPerSession({ count: quick ? 2000 : 25_000 }),
    () => bytesOfTokens({ count: quick ? 500 : 4000 }),
    () => clusterAgainstOne(some),
    () => nearCacheCost(some),
  ]
  const sections = []
  for (const part of parts) {
    const section = await part()
    process.stderr.write(`${section.heading}\n`)
    sections.push(section)
  }
  return sections
}
