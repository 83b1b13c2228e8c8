/** What a hit in the near cache costs beside a read that asks Redis, decrypts and parses; all sessions fit into the cache. */
import { ourSubject } from './session-read.mjs'
import { compare } from './harness.mjs'
import { withRedis } from './redis.mjs'

const SIZES = [512, 2048, 8192]
const NEAR = { maxEntries: 20_000, maxStaleMs: 2000 }

export const title = 'near-cache'

export async function run({ rounds, roundMs }) {
  return withRedis(async ({ url, commandCount }) => {
    const sections = []
    for (const bytes of SIZES) {
      const asked = await ourSubject(url, bytes, { name: 'asked of Redis at each read' })
      const near = await ourSubject(url, bytes, { name: 'near cache', nearCache: NEAR })
      // Every session once: from then on all are hits.
      for (let i = 0; i < 10_000; i++) await near.subject.run(i)
      const options = { concurrency: 64, rounds, roundMs, commandCount }
      const rows = await compare([asked.subject, near.subject], options)
      sections.push({ heading: `${bytes} B of JSON, 10,000 sessions, concurrency 64`, rows })
      await Promise.all([asked.close(), near.close()])
    }
    return sections
  })
}
