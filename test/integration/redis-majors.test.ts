/** Connections that are made here, by each major of the client library, to what is more than one open server. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { libraryMajors } from '../support/redis-clients.ts'
import { cluster, type Context, overTls, sentinel, underAcl } from '../support/redis-grounds.ts'

const forms = [
  { form: 'a cluster', status: () => cluster() },
  { form: 'a primary that sentinels name', status: () => sentinel() },
  { form: 'TLS', status: overTls },
  { form: 'a user with the smallest ACL', status: underAcl },
]

describe.each(forms)('$form', ({ status }) => {
  let context: Context
  beforeAll(async () => {
    context = await status()
  })
  afterAll(() => context.stop())

  test.each(libraryMajors)('redis $major: sessions, tokens, and their end', async ({ install, major }) => {
    install()
    const keys = randomBytes(32).toString('base64')
    const auth = coatcheck({ store: redisStore(context.options), keys, baseUrl: 'http://localhost:3000' })
    try {
      await auth.ready()
      const connections = await context.primaries[0]?.cli('client', 'list')
      expect(connections?.match(/resp=3/g)?.length ?? 0).toBe(major === '6' ? 1 : 0)
      for (const userId of ['ada', 'grace', 'linus', 'margaret']) {
        const { ticket, session } = await auth.sessions.create({ userId })
        await auth.sessions.update(ticket, (draft) => {
          draft.count = 1
        })
        expect((await auth.sessions.find(ticket)).session?.data).toEqual({ count: 1 })
        const tokens = { accessToken: 'a', refreshToken: 'r', expiresAt: Date.now() + 60_000 }
        await auth.tokens.setUserTokens(userId, tokens, { provider: 'idp' })
        expect((await auth.tokens.getUserTokens(userId, { provider: 'idp' }))?.refreshToken).toBe('r')
        expect((await auth.sessions.revoke(session.id ?? '')).count).toBe(1)
        expect(await auth.sessions.find(ticket)).toEqual({ session: null, reason: 'revoked' })
        expect(await auth.tokens.getUserTokens(userId, { provider: 'idp' })).toBeNull()
      }
    } finally {
      await auth.close()
    }
  })
})
