import { afterAll, beforeAll, describe, it } from 'vitest'
import { adoptionScenarios, httpScenarios } from '../../src/testing/http-scenarios.ts'
import { createHttpWorld, type TestWorld } from '../support/http-world.ts'
import { fastifyServer, honoServer, nodeServer } from './scenario-servers.ts'

describe.each([
  ['node:http', nodeServer],
  ['Fastify 5', fastifyServer],
  ['Hono 4', honoServer],
])('%s', (_name, serve) => {
  let world: TestWorld
  beforeAll(async () => {
    world = await createHttpWorld(serve)
  })
  afterAll(() => world.close())

  it.each(httpScenarios)('$name', async (scenario) => scenario.run(world))
  it.each(adoptionScenarios)('$name', async (scenario) => scenario.run(world))
})
