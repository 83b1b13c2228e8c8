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
  return [
    await growth({ sizes: quick ? [6000, 10_000] : [10_000, 100_000, 1_000_000], ...some }),
    await bytesPerSession({ count: quick ? 2000 : 25_000 }),
    await bytesOfTokens({ count: quick ? 500 : 4000 }),
    await clusterAgainstOne(some),
    await nearCacheCost(some),
  ]
}
