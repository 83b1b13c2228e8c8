/** The steps on a cluster and behind sentinels, before and after the codemod. */
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Application, copyApplication } from './application.ts'
import { migrate } from './codemod.ts'
import { differences } from './compare.ts'
import { EXPECTED_MARKS_OF_TOPOLOGIES } from './expected-marks.ts'
import { markedSteps } from './marks.ts'
import { record, type RecordOptions, type Recording } from './recorder.ts'
import { startTopologies, type Topologies } from './topologies.ts'

const APP = resolve(import.meta.dirname, 'app')
// redis 6 sends the parts of a command to several nodes, where ioredis and redis 5 pass the server's CROSSSLOT on.
const CHANGED_IN_REDIS_6 = 'cluster: refusesKeysOfSeveralSlots'

describe('clusters and sentinels, rewritten', () => {
  let topologies: Topologies
  let options: RecordOptions
  let before: Recording

  beforeAll(async () => {
    topologies = await startTopologies()
    options = { env: topologies.env, keyspace: topologies.keyspace, folders: ['topologies'] }
    const application = copyApplication(APP, { ioredis: 'ioredis' })
    await application.compile()
    before = await record(application, options)
    application.remove()
  })
  afterAll(async () => {
    topologies.keyspace.close()
    await topologies.stop()
  })

  it.each([
    { target: 5, redis: 'redis5' },
    { target: 6, redis: 'redis' },
  ] as const)('see and write the same with redis $target', async ({ target, redis }) => {
    const application: Application = copyApplication(APP, { ioredis: 'ioredis' })
    await migrate(application, target)
    application.install({ redis, ioredis: 'ioredis' })
    await application.compile()
    const marked = new Map([...markedSteps(application)].filter(([step]) => before.steps.has(step)))
    const after = await record(application, { ...options, skip: new Set(marked.keys()) })
    const compared = new Map([...before.steps].filter(([step]) => !marked.has(step)))
    const differing = differences({ ...before, steps: compared }, after)
    expect(differing.filter(({ step }) => step !== CHANGED_IN_REDIS_6 || target === 5)).toEqual([])
    expect(Object.fromEntries([...marked].map(([step, codes]) => [step, codes.join(' ')]))).toEqual(
      EXPECTED_MARKS_OF_TOPOLOGIES,
    )
    application.remove()
  })
})
