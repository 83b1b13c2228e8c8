/** `bridge-app.ts` as one file of JavaScript: a process starts from it in a third of the time that it takes to compile the sources. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { afterAll, beforeAll } from 'vitest'

const SOURCE = fileURLToPath(new URL('../support/processes/bridge-app.ts', import.meta.url))
/** Beside it, because packages are loaded from `node_modules`. Ignored by git. */
const BUILT = fileURLToPath(new URL('../.app/', import.meta.url))

/** Builds it before the tests of a file, and deletes it after them. @returns its path, once it is built */
export function builtBridgeApp(): () => string {
  let folder = ''
  beforeAll(async () => {
    mkdirSync(BUILT, { recursive: true })
    folder = mkdtempSync(join(BUILT, 'bridge-'))
    await build({
      ...{ configFile: false, logLevel: 'error' },
      ssr: { resolve: { conditions: ['coatcheck-source', 'node', 'import', 'default'] } },
      build: { ssr: SOURCE, outDir: folder, target: 'node20', minify: false },
    })
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return () => join(folder, 'bridge-app.js')
}
