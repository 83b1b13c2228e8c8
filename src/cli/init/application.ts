/** Finds an existing application: its sources, the file that creates the framework's application, and its names. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { entryOf } from '../project/entry.ts'
import type { Project } from '../project/project.ts'

export interface SourceFile {
  /** Relative to the folder of the project, with slashes. */
  readonly path: string
  /** Without comments. */
  readonly code: string
}

export interface Application {
  /** The file to change: the one that creates the framework's application, otherwise the entry file. */
  readonly file: SourceFile
  /** Variable of the framework's application, such as `app`. */
  readonly variable: string
  readonly sources: readonly SourceFile[]
}

const SOURCE = /\.[cm]?[jt]sx?$/
const OTHER_FOLDERS = /^(?:\..*|node_modules|dist|build|out|coverage|public)$/
/** A project with more files is searched in part, those nearest to its root first. */
const MAX_FILES = 1000
const MAX_FILE_BYTES = 256 * 1024

/**
 * @param constructor finds where the framework's application is created; its first group is the variable
 * @returns `null`: no application exists yet
 */
export function findApplication(project: Project, constructor: RegExp): Application | null {
  const entry = entryOf(project)
  const sources = sourcesOf(project.folder)
  const makers = sources.filter(({ code }) => constructor.test(code))
  const file =
    makers.find(({ path }) => path === entry) ??
    makers.find(({ code }) => /\b(?:listen|serve)\(/.test(code)) ??
    makers[0] ??
    sources.find(({ path }) => path === entry)
  if (file === undefined) return null
  return { file, variable: constructor.exec(file.code)?.[1] ?? 'app', sources }
}

/** Breadth first, in the order of names. */
function sourcesOf(root: string): readonly SourceFile[] {
  const found: SourceFile[] = []
  const folders = ['']
  for (let folder = folders.shift(); folder !== undefined && found.length < MAX_FILES; folder = folders.shift()) {
    const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && !OTHER_FOLDERS.test(entry.name)) folders.push(path)
      if (!entry.isFile() || !SOURCE.test(entry.name) || found.length >= MAX_FILES) continue
      if (statSync(join(root, path)).size > MAX_FILE_BYTES) continue
      found.push({ path, code: withoutComments(readFileSync(join(root, path), 'utf8')) })
    }
  }
  return found
}

/** Sufficient for a search: a `//` after a colon or a quote belongs to an address. */
function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1')
}
