/** Does what a plan says. A file that has come into being since is not overwritten either. */
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plan } from './plan.ts'

/** Settings are for their owner only. */
const OWNER_ONLY = 0o600

/** File by file; what fails in between leaves the files before it, and the next run goes on from there. */
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
