/**
 * Runs every case of `cases.ts`, and compares docs/security/hostile-provider.md with them. `npx vitest run test/hostile -u` writes
 * the page.
 */
import { describe, expect, it } from 'vitest'
import { chapters } from './cases.ts'
import { renderHostilePage } from './page.ts'

describe.each(chapters)('$title', ({ cases }) => {
  it.each(cases)('$does: $result', async ({ result, run }) => {
    expect(await run()).toBe(result)
  })
})

it('has at least 120 cases, and no case twice', () => {
  const all = chapters.flatMap(({ title, cases }) => cases.map(({ does }) => `${title}: ${does}`))
  expect(all.length).toBeGreaterThanOrEqual(120)
  expect(new Set(all).size).toBe(all.length)
})

it('docs/security/hostile-provider.md lists the same cases', async () => {
  await expect(await renderHostilePage()).toMatchFileSnapshot('../../docs/security/hostile-provider.md')
})
