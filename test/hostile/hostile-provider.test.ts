/**
 * A hostile provider: every case of `cases.ts`, and docs/security/hostile-provider.md, which is written from them:
 * `npx vitest run test/hostile -u`.
 */
import { describe, expect, it } from 'vitest'
import { chapters } from './cases.ts'
import { renderHostilePage } from './page.ts'

describe.each(chapters)('$title', ({ cases }) => {
  it.each(cases)('$does: $result', async ({ result, run }) => {
    expect(await run()).toBe(result)
  })
})

it('has at least 120 cases, each told once', () => {
  const all = chapters.flatMap(({ title, cases }) => cases.map(({ does }) => `${title}: ${does}`))
  expect(all.length).toBeGreaterThanOrEqual(120)
  expect(new Set(all).size).toBe(all.length)
})

it('docs/security/hostile-provider.md tells them', async () => {
  await expect(await renderHostilePage()).toMatchFileSnapshot('../../docs/security/hostile-provider.md')
})
