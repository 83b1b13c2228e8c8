import { composeHelper } from './src/migrate/ioredis/helper/compose.ts'
import { commandParts } from './src/migrate/ioredis/helper/command-parts.ts'
import { connectionParts } from './src/migrate/ioredis/helper/connection-parts.ts'
import { streamParts } from './src/migrate/ioredis/helper/stream-parts.ts'
import { writeFileSync, mkdirSync } from 'node:fs'
const all = [...commandParts, ...connectionParts, ...streamParts].flatMap(p => [...p.exports, ...(p.types ?? [])])
mkdirSync('.gen', { recursive: true })
for (const target of [5, 6] as const) for (const cl of [true, false]) {
  const names = new Set(all.concat(cl ? ['Cluster'] : []).filter(n => cl || !/Cluster/.test(n)))
  let t = composeHelper({ names, chained: new Set(['get', 'set', 'hgetall', 'getBuffer']), target, language: 'ts' })
  if (target === 5) t = t.replace("from 'redis'", "from 'redis5'")
  writeFileSync(`.gen/h${target}${cl ? 'c' : ''}.ts`, t)
  for (const l of ['mjs','cjs'] as const) writeFileSync(`.gen/h${target}${cl ? 'c' : ''}.${l}`, composeHelper({ names, chained: new Set(['get']), target, language: l }))
}
