/**
 * What a client does before it is ready, after it is closed and while it has subscriptions: one program with ioredis, and rewritten for each
 * major of `redis`. Every value that the program sees must be the same.
 */
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { copyApplication } from './application.ts'
import { migrate } from './codemod.ts'
import { differences } from './compare.ts'
import { recordedBefore, TARGETS } from './comparison.ts'
import { markedSteps } from './marks.ts'
import { record } from './recorder.ts'

const PROJECT = resolve(import.meta.dirname, 'public/connections')

describe('connections, chains and streams, rewritten', () => {
  const compared = recordedBefore(PROJECT)

  it.each(TARGETS)('do the same with redis $target', async ({ target, redis }) => {
    const { servers, keyspace, before } = compared
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
