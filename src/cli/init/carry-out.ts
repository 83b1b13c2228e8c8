/** Writes the files of a plan. It never overwrites a file, even one that appeared after the plan was made. */
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plan } from './plan.ts'

/** Settings are readable only for the file's owner. */
const OWNER_ONLY = 0o600

/** Writes file by file. If one fails, the previous files stay, and the next run writes the rest. */
export function carryOut({ steps }: Plan, folder: string): void {
  for (const { path, action, text, settings } of steps) {
    const place = join(folder, path)
    if (action === 'append') {
      if (settings) chmodSync(place, OWNER_ONLY)
      appendFileSync(place, text)
    }
    if (action !== 'create') continue
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, text, { flag: 'wx', ...(settings && { mode: OWNER_ONLY }) })
  }
}
