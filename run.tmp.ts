import { migrateIoredis } from './src/migrate/ioredis/migrate.ts'
import { createTwoFilesPatch } from 'diff'
const [cwd, mode = 'dry-run', target = '6'] = process.argv.slice(2)
console.time('run')
const r = await migrateIoredis({ cwd: cwd!, paths: [], mode: mode as 'dry-run', target: Number(target) as 6 })
console.timeEnd('run')
for (const f of r.files) if (!f.path.includes('redis-from') && f.before !== f.after) console.log(createTwoFilesPatch(f.path, f.path, f.before ?? '', f.after, '', '', { context: 1 }))
console.log(r.sites.length, "sites", JSON.stringify(r.sites.reduce((a, s) => ({ ...a, [s.state]: (a[s.state] ?? 0) + 1 }), {} as Record<string, number>)), "marks", r.marksLeft, r.helperFiles, r.notes)
