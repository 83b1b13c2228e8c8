/**
 * Makes each mistake of the first day with a real Redis and provider. Each answer has a stable code, the event, its reason and a
 * fix, and the witness (a signed-in user) keeps all data. The rows are in the folder `mistakes`.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { settings } from '../../src/config/settings.ts'
import { searchFor } from '../support/canaries.ts'
import { type Mistake, type Seen, seenBy } from './mistake.ts'
import { changeMistakes } from './mistakes/changes.ts'
import { configurationMistakes } from './mistakes/configuration.ts'
import { frameworkMistakes } from './mistakes/framework.ts'
import { placeMistakes } from './mistakes/places.ts'
import { projectMistakes } from './mistakes/project.ts'
import { providerMistakes } from './mistakes/provider.ts'
import { redisMistakes } from './mistakes/redis.ts'
import { tokenMistakes } from './mistakes/tokens.ts'
import { valueMistakes } from './mistakes/values.ts'
import { pageFile, renderPage } from './page.ts'
import { createWorld, type World } from './world.ts'

const groups: readonly (readonly [title: string, mistakes: readonly Mistake[]])[] = [
  ['Settings', configurationMistakes],
  ['The identity provider', providerMistakes],
  ['Changes of a session', changeMistakes],
  ['Values of a session', valueMistakes],
  ['Tokens', tokenMistakes],
  ['Redis', redisMistakes],
  ['The framework', [...frameworkMistakes, ...placeMistakes]],
  ['The command line', projectMistakes],
]
const all = groups.flatMap(([, mistakes]) => mistakes)
const seen = new Map<Mistake, Seen>()

let world: World
beforeAll(async () => {
  world = await createWorld()
})
// What the machine of a developer has set must not complete what a mistake leaves out.
beforeEach(() => {
  for (const name of [...settings.flatMap(({ env }) => env), 'NODE_ENV', 'AZURE_TENANT_ID', 'AZURE_CLIENT_ID'])
    vi.stubEnv(name, undefined)
})
afterEach(() => world.cleanUp())
afterAll(() => world.close())

it('there are at least thirty, each with a title of its own', () => {
  expect(new Set(all.map(({ title }) => title)).size).toBe(all.length)
  expect(all.length).toBeGreaterThanOrEqual(30)
})

describe.each(groups)('%s', (_group, mistakes) => {
  it.each(mistakes.map((mistake) => [mistake.title, mistake] as const))('%s', async (_title, mistake) => {
    const before = await world.inventory()
    const told = await seenBy(mistake, world)
    expect(told).toEqual({
      code: mistake.code,
      what: expect.stringMatching(mistake.what) as string,
      why: expect.stringMatching(mistake.why) as string,
      fix: expect.stringMatching(mistake.fix) as string,
    })
    const { keys, ...kept } = await world.inventory()
    expect(kept).toEqual({ data: before.data, hasTokens: true })
    if (!mistake.writes) expect(keys).toBe(before.keys)
    expect(searchFor(world.secrets).find(mistake.title, JSON.stringify(told))).toEqual([])
    seen.set(mistake, told)
  })
})

it('docs/first-mistakes.md shows what was seen', async () => {
  await expect(await renderPage(groups, seen, world)).toMatchFileSnapshot(pageFile)
})
