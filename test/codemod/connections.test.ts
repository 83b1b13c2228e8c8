/**
 * What a client does before it is ready, after it is closed and while it has subscriptions: one program with ioredis, and rewritten for each
 * major of `redis`. Every value that the program sees must be the same.
 */
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyApplication } from './application.ts'
import { migrate } from './codemod.ts'
import { differences } from './compare.ts'
import { type Keyspace, openKeyspace } from './keyspace.ts'
import { markedSteps } from './marks.ts'
import { record, type Recording } from './recorder.ts'
import { type Servers, startServers } from './servers.ts'

const PROJECT = resolve(import.meta.dirname, 'public/connections')

describe('connections, chains and streams, rewritten', () => {
  let servers: Servers
  let keyspace: Keyspace
  let before: Recording

  beforeAll(async () => {
    servers = await startServers()
    keyspace = await openKeyspace(servers.url)
    const application = copyApplication(PROJECT, { ioredis: 'ioredis' })
    await application.compile()
    before = await record(application, { env: servers.env, keyspace })
    application.remove()
  })
  afterAll(async () => {
    keyspace.close()
    await servers.stop()
  })

  it.each([
    { target: 5, redis: 'redis5' },
    { target: 6, redis: 'redis' },
  ] as const)('do the same with redis $target', async ({ target, redis }) => {
    const application = copyApplication(PROJECT, { ioredis: 'ioredis' })
    await migrate(application, target)
    application.install({ redis })
    expect(await application.check()).toBe('')
    await application.compile()
    expect([...markedSteps(application)]).toEqual([])
    expect(differences(before, await record(application, { env: servers.env, keyspace }))).toEqual([])
    application.remove()
  })
})
