/**
 * A copy of a fixture application in a folder of its own, with the packages that an `npm install` would have given it: links into our own
 * `node_modules`, so that `ioredis` and `redis` are the majors that a run asks for.
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PACKAGES = resolve(import.meta.dirname, '../../node_modules')
const ALWAYS = ['@types/node', '@types/react', 'csstype', 'undici-types', 'react', 'typescript']

/** The name of a package in the application, and the folder of our `node_modules` that stands for it. */
export type Packages = Readonly<Record<string, string>>

export interface Application {
  readonly path: string
  /** Source files, relative. */
  files(): string[]
  /** Gives it other packages. */
  install(packages: Packages): void
  /** The complaints of `tsc --strict`; empty when green. */
  check(): Promise<string>
  /** Compiles into `out/`, whatever the types are. */
  compile(): Promise<string>
  /** Where the compiled form of a source file is. */
  outputOf(file: string): string
  remove(): void
}

export function copyApplication(source: string, packages: Packages): Application {
  const path = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  cpSync(source, path, { recursive: true })
  const install = (wanted: Packages): void => {
    const folder = join(path, 'node_modules')
    rmSync(folder, { recursive: true, force: true })
    const all = { ...Object.fromEntries(ALWAYS.map((name) => [name, name])), ...wanted }
    for (const [name, target] of Object.entries(all)) {
      if (!existsSync(join(PACKAGES, target))) continue
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      symlinkSync(join(PACKAGES, target), join(folder, name), 'dir')
    }
  }
  const tsc = (...options: string[]): Promise<string> =>
    run(process.execPath, [join(PACKAGES, 'typescript/bin/tsc'), '-p', path, '--pretty', 'false', ...options], {
      cwd: path,
      maxBuffer: 1 << 26,
    }).then(
      () => '',
      (error: unknown) => (error as { stdout: string }).stdout,
    )
  install(packages)
  return {
    path,
    install,
    files: () => sourcesIn(join(path, 'src')).map((file) => relative(path, file)),
    check: () => tsc('--strict', '--noEmit'),
    compile() {
      rmSync(join(path, 'out'), { recursive: true, force: true })
      return tsc('--noCheck')
    },
    outputOf: (file) => join(path, file.replace(/^src/, 'out').replace(/\.(m|c)?tsx?$/, '.$1js')),
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.[mc]?[jt]sx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
