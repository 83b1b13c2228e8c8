/** Decides the form of the modules that `init` writes: folder, file extension, import specifiers, top-level await. */
import type { Project } from '../project/project.ts'
import type { CompilerOptions, TsConfig } from './tsconfig.ts'

export interface ModuleStyle {
  /** Folder of the application's modules: `''` or `'src/'`. */
  readonly folder: '' | 'src/'
  readonly ending: 'js' | 'mjs' | 'ts' | 'mts'
  /** Import name of the file `stem` in the same folder, without the path: `auth.js`, `auth.mjs`, `auth.ts` or `auth`. */
  nameOf(stem: string): string
  readonly hasTopLevelAwait: boolean
}

/** With Node's own module rules, some files are CommonJS. In these versions such a file cannot import ES modules. */
const WITHOUT_REQUIRE_OF_MODULES = /^node1[68]$/
const NODE_RULES = /^node/
const WITH_TOP_LEVEL_AWAIT = /^(?:node\w+|es2022|esnext|preserve)$/
const OLD_TARGET = /^es(?:3|5|6|2015|2016)$/

/** @param entry entry file of the application, relative to the folder of the project; `null`: none yet */
export function javaScriptStyle(project: Project, entry: string | null): ModuleStyle {
  const isModule = project.manifest === null || project.manifest.type === 'module'
  const ending = isModule ? 'js' : 'mjs'
  const folder = entry?.startsWith('src/') === true ? 'src/' : ''
  return { folder, ending, nameOf: (stem) => `${stem}.${ending}`, hasTopLevelAwait: true }
}

/** @param tsConfig tsconfig.json of the project, or the one that `init` will write */
export function typeScriptStyle(project: Project, tsConfig: TsConfig, entry: string | null): ModuleStyle {
  const { options } = tsConfig
  const isModule = project.manifest === null || project.manifest.type === 'module'
  const module = (options.module ?? '').toLowerCase()
  const needsModuleEnding = WITHOUT_REQUIRE_OF_MODULES.test(module) || options.verbatimModuleSyntax === true
  const ending = !isModule && needsModuleEnding && NODE_RULES.test(module) ? 'mts' : 'ts'
  const isAwaitable = WITH_TOP_LEVEL_AWAIT.test(module) && !OLD_TARGET.test((options.target ?? '').toLowerCase())
  return {
    folder: isBelowSource(tsConfig, entry) ? 'src/' : '',
    ending,
    nameOf: (stem) => nameOf(stem, ending, options, isModule || NODE_RULES.test(module)),
    hasTopLevelAwait: isAwaitable && (isModule || ending === 'mts'),
  }
}

function nameOf(stem: string, ending: 'ts' | 'mts', options: CompilerOptions, wantsEnding: boolean): string {
  const { allowImportingTsExtensions, rewriteRelativeImportExtensions } = options
  if (allowImportingTsExtensions === true || rewriteRelativeImportExtensions === true) return `${stem}.${ending}`
  // Otherwise the compiler keeps specifiers unchanged, so they must name the files that it writes.
  return wantsEnding ? `${stem}.${ending.replace('ts', 'js')}` : stem
}

/** A file outside of `rootDir` or `include` would not compile, or would change the output folders. */
function isBelowSource({ options, include }: TsConfig, entry: string | null): boolean {
  if (entry !== null) return entry.startsWith('src/')
  const isSource = (path: string): boolean => /^(?:\.\/)?src(?:\/|$)/.test(path)
  return isSource(options.rootDir ?? '') || (include.length > 0 && include.every(isSource))
}
