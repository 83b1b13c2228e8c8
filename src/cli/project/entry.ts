/** Finds the entry file of an application: by its scripts, its manifest and common names. */
import type { Project } from './project.ts'

const STEMS = ['server', 'app', 'index', 'main'].flatMap((stem) => [stem, `src/${stem}`])
const ENDINGS = ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts'] as const

/** A file in a script: `node --watch src/main.js`, `tsx watch server.ts`. Build output is not a source file. */
const FILE_IN_SCRIPT = /(?:^|[\s"'=])(?:\.\/)?([\w@.\-/]+\.(?:js|mjs|cjs|ts|mts|cts))(?=$|[\s"'])/g
const BUILT = /^(?:dist|build|out)\//

/** @returns relative to the folder; `null` if there is none */
export function entryOf(project: Project): string | null {
  const { scripts = {}, main } = project.manifest ?? {}
  const named = [scripts.dev, scripts.start].flatMap((script) =>
    [...(script ?? '').matchAll(FILE_IN_SCRIPT)].flatMap(([, file]) => (file === undefined ? [] : [file])),
  )
  const common = STEMS.flatMap((stem) => ENDINGS.map((ending) => `${stem}.${ending}`))
  const candidates = [...named, ...(main === undefined ? [] : [main.replace(/^\.\//, '')]), ...common]
  return candidates.find((file) => !BUILT.test(file) && project.has(file)) ?? null
}
