/** The changes that `docs/migrate-from-connect-redis.md` and `docs/migrate-from-koa-session.md` show lead from one application of the page to the other. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it.each(['docs/migrate-from-connect-redis.md', 'docs/migrate-from-koa-session.md'])('%s', (page) => {
  const text = readFileSync(page, 'utf8')
  const blockOf = (fence: string): string =>
    new RegExp(`^\`\`\`${fence}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(text)?.[1] ?? ''
  const [before, after, diff] = [blockOf('ts before\\.ts'), blockOf('ts app\\.ts'), blockOf('diff')]
  const side = (sign: '-' | '+'): string =>
    diff
      .split('\n')
      .filter((line) => line === '' || line.startsWith(' ') || line.startsWith(sign))
      .map((line) => line.slice(1))
      .join('\n')
  expect(diff).toMatch(/^-.*\n/m)
  expect(before).toContain(side('-'))
  expect(before.replace(side('-'), side('+'))).toBe(after)
})
