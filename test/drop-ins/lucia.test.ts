/** The test kit for session stores of Lucia, as an oracle: what it asks of a store, the sessions of drop-in libraries can do. */
import { createHash, randomBytes } from 'node:crypto'
import { databaseUser, testAdapter } from '@lucia-auth/adapter-test'
import { it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { systemRandom } from '../../src/core/random.ts'
import { EventBus } from '../../src/core/events.ts'
import { createDocuments } from '../../src/documents/documents.ts'
import { createRedisDocumentDriver } from '../../src/stores/redis/document-driver.ts'
import { librarySessionCodec } from '../../src/documents/library-session-record.ts'
import { createLibrarySessions } from '../../src/documents/library-sessions.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { singleServers } from '../support/redis-world.ts'

interface LuciaSession {
  id: string
  userId: string
  expiresAt: Date
  attributes: Record<string, unknown>
}

it('passes', async () => {
  const form = singleServers.at(-1)
  if (!form) throw new Error('no client library')
  const world = await form.start()
  try {
    const keyring = createKeyring(randomBytes(32).toString('base64'))
    const events = new EventBus()
    const driver = createRedisDocumentDriver(world.client, redisKeys(''))
    const documents = createDocuments(
      { driver, keyring, seal: createSeal(keyring), namespace: '', events },
      'lucia',
      librarySessionCodec,
    )
    const sessions = createLibrarySessions({
      documents,
      kind: 'lucia',
      clock: systemClock,
      random: systemRandom,
      events,
      userIdOf: ({ userId }) => userId as string,
    })

    // The kit uses an id again after it has deleted the session of that id. `save` without `isNew` refuses that, so each use gets a new id.
    const times = new Map<string, number>()
    const sidOf = (id: string): string => `${createHash('sha256').update(id).digest('hex')}${times.get(id) ?? 0}`
    const again = (id: string): void => void times.set(id, (times.get(id) ?? 0) + 1)
    const sessionIn = (data: unknown): LuciaSession => {
      const { expiresAt, ...rest } = data as Omit<LuciaSession, 'expiresAt'> & { expiresAt: string }
      return { ...rest, expiresAt: new Date(expiresAt) }
    }
    const save = async (session: LuciaSession): Promise<void> => {
      const ttlMs = session.expiresAt.getTime() - Date.now()
      const known = await sessions.find(sidOf(session.id))
      if (ttlMs > 0) await sessions.save(sidOf(session.id), JSON.stringify(session), { ttlMs, known })
    }
    await testAdapter({
      getSessionAndUser: async (id: string) => {
        const found = await sessions.find(sidOf(id))
        return found ? [sessionIn(JSON.parse(found.json)), databaseUser] : [null, null]
      },
      getUserSessions: async (userId: string) => (await sessions.listByUser(userId)).map(({ data }) => sessionIn(data)),
      setSession: save,
      updateSessionExpiration: async (id: string, expiresAt: Date) => {
        const found = await sessions.find(sidOf(id))
        if (found) await save({ ...sessionIn(JSON.parse(found.json)), expiresAt })
      },
      deleteSession: async (id: string) => {
        await sessions.end(sidOf(id))
        again(id)
      },
      deleteUserSessions: (userId: string) => sessions.revokeByUser(userId),
      // They end by themselves.
      deleteExpiredSessions: async () => Promise.resolve(),
    } as never)
  } finally {
    await world.stop()
  }
})
