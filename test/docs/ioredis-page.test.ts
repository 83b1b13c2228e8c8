/** docs/migrate-from-ioredis.md lists the rules of the codemod; `src/migrate/ioredis/rules.test.ts` runs their examples. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { rules } from '../../src/migrate/ioredis/rules.ts'
import { ioredisPage, renderIoredisPage } from './ioredis-page.ts'

describe('docs/migrate-from-ioredis.md', () => {
  it('lists the rules as they are', async () => {
    await expect(await renderIoredisPage()).toMatchFileSnapshot(ioredisPage)
  })

  it('shows an example of each rule', () => {
    const text = readFileSync(ioredisPage, 'utf8')
    for (const { name, title } of rules) {
      const [, section = ''] = text.split(`### ${title}\n`)
      expect(section.split('\n### ')[0], name).toContain('```diff')
    }
  })
})
