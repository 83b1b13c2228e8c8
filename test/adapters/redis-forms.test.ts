/** The HTTP scenarios once more, on every form of Redis: what an application sees does not depend on it. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { httpScenarios } from '../../src/testing/http-scenarios.ts'
import { createHttpWorld, type TestWorld } from '../support/http-world.ts'
import { cluster, overTls, sentinel, underAcl } from '../support/redis-grounds.ts'
import { nodeServer } from './scenario-servers.ts'

const forms = [
  { form: 'a cluster', status: () => cluster() },
  { form: 'a primary that sentinels name', status: () => sentinel() },
  { form: 'TLS', status: overTls },
  { form: 'a user with the smallest ACL', status: underAcl },
]

describe.each(forms)('$form', ({ status }) => {
  let world: TestWorld
  beforeAll(async () => {
    world = await createHttpWorld(nodeServer, status)
  })
  afterAll(() => world.close())

  for (const { name, run } of httpScenarios) test(name, () => run(world))
})
