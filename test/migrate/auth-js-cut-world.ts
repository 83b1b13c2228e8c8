/**
 * Users of the old Auth.js adapter on one real Redis, and processes in mode `move` whose steps can be cut. Each person has an own name, so
 * that many takeovers run side by side.
 */
import { randomBytes } from 'node:crypto'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { upstashAdapter } from '../../src/entries/migrate.ts'
import { Steps } from './dual-read-world.ts'
import { steppedStore } from './stepped-store.ts'
import type { testRedis } from './test-redis.ts'

const HOUR_MS = 3_600_000
const keys = randomBytes(32).toString('base64')
let people = 0

/** What the old adapter has stored for one user: two accounts and two sessions, of which it lists only the last. */
export class Person {
  readonly tag = `p${++people}p`
  readonly id = `user-${this.tag}`
  readonly email = `${this.tag}@example.test`
  readonly first = { type: 'oidc', provider: 'first', providerAccountId: this.tag } as const
  readonly last = { type: 'oidc', provider: 'last', providerAccountId: this.tag } as const
  readonly oldToken = `old-${this.tag}`
  readonly token = `last-${this.tag}`

  /** Returns a result as text in which the name of the person does not occur. */
  show(result: unknown): string {
    return JSON.stringify(result ?? null)
      .replaceAll(this.tag, '<person>')
      .replace(/"expires":"[^"]*"/g, '"expires":"…"')
  }
}

export function authJsCutWorld(redis: ReturnType<typeof testRedis>) {
  return {
    /** A process in mode `move`. Each of its calls of a driver is a step. */
    process(steps = new Steps()): CoatcheckAdapter {
      const adapter = CoatcheckAdapter({
        keys,
        migrateFrom: upstashAdapter({ mode: 'move' }),
        store: steppedStore(redis.url, steps),
      })
      return redis.closing(adapter)
    },

    /** What the old adapter has stored after two sign-ins. */
    async signIn(person: Person): Promise<void> {
      const { id: userId, email, first, last, oldToken, token } = person
      const expires = new Date(Date.now() + HOUR_MS)
      const values = {
        [`user:${userId}`]: { id: userId, email, emailVerified: null, name: 'Ada' },
        [`user:account:first:${person.tag}`]: { ...first, userId, id: `first:${person.tag}` },
        [`user:account:last:${person.tag}`]: { ...last, userId, id: `last:${person.tag}` },
        [`user:session:${oldToken}`]: { sessionToken: oldToken, userId, expires },
        [`user:session:${token}`]: { sessionToken: token, userId, expires },
      }
      const names = {
        [`user:email:${email}`]: userId,
        [`user:account:by-user-id:${userId}`]: `user:account:last:${person.tag}`,
        [`user:session:by-user-id:${userId}`]: `user:session:${token}`,
      }
      const texts = Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)] as const)
      await Promise.all([...texts, ...Object.entries(names)].map(([key, text]) => redis.client.set(key, text)))
    },

    /** Returns the names of the old keys that hold something about the person. */
    oldKeys: async (person: Person): Promise<string[]> => (await redis.client.keys(`user:*${person.tag}*`)).sort(),

    /** As if a minute passed: until the address is claimed, the record of a user has a short life. */
    async expireUnfinished(): Promise<void> {
      for (const name of await redis.client.keys('host:authjs-user:*'))
        if ((await redis.client.ttl(name)) > 0) await redis.client.del(name)
    },
  }
}
