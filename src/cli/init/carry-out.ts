/** Writes what a plan says. A file that has appeared since the plan was made is not overwritten either. */
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plan } from './plan.ts'

/** Only the owner of the file may read settings. */
const OWNER_ONLY = 0o600

/** File by file. When one fails, the files before it stay, and the next run writes the rest. */
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
