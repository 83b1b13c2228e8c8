/** The inventory of docs/security/cryptography.md names each source file that uses cryptography, and its algorithms. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/security/cryptography.md'), 'utf8')
const ALGORITHM = /'(aes-[\w-]+|sha\d+)'/g
const FUNCTION = /\b(hkdfSync|createHmac|timingSafeEqual|randomFillSync|randomBytes)\(/g
const USES = /from 'node:crypto'|from 'jose'/

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !/^(dev|testing)\//.test(file))
  .map((file) => ({ file: `src/${file}`, text: readFileSync(join(root, 'src', file), 'utf8') }))
  .filter(({ text }) => USES.test(text))

it.each(sources)('$file is in the inventory, with what it uses', ({ file, text }) => {
  const rows = page.split('\n').filter((line) => line.includes(`\`${file}\``))
  expect(rows).not.toEqual([])
  const used = [...text.matchAll(ALGORITHM), ...text.matchAll(FUNCTION)].map(([, name = '']) => name)
  for (const name of new Set(used)) expect(rows.join('\n')).toContain(`\`${name}\``)
})

it('names no file that uses none', () => {
  const named = [...page.matchAll(/`(src\/[^`]+\.ts)`/g)].map(([, file]) => file)
  expect(named.sort()).toEqual([...named.filter((name) => sources.some(({ file }) => file === name))].sort())
})
