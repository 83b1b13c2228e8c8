/** What a run of the codemod found and did, for the command line, the pull request and tests. */

export type SiteState = 'rewritten' | 'helper' | 'marked' | 'ignored'

/** One place where code uses ioredis. */
export interface Site {
  /** Path from the folder of the run, with `/`. */
  readonly file: string
  /** From 1, in the text before the run. */
  readonly line: number
  /** Name of the rule that decided. */
  readonly rule: string
  /** Why the place is marked: the code in its comment. Only on `marked` and `ignored`. */
  readonly code?: string
  readonly state: SiteState
  /** The source of the place before the run, on one line. */
  readonly text: string
}

export interface FileReport {
  readonly path: string
  /** Null for a file that the run creates. */
  readonly before: string | null
  readonly after: string
  readonly sites: readonly Site[]
}

export interface MigrationReport {
  /** Files whose text changes, and files with marks. */
  readonly files: readonly FileReport[]
  readonly sites: readonly Site[]
  /** Marks that stand in the code after the run: a person has to resolve them. */
  readonly marksLeft: number
  /** The first generated file with helpers; null if no call needs one. */
  readonly helperFile: string | null
  /** All generated files with helpers: one for each package of a monorepo. */
  readonly helperFiles: readonly string[]
  /** Why the run changes nothing, and what a person should know about the run. */
  readonly notes: readonly string[]
}

export interface MigrationOptions {
  readonly cwd: string
  /** Files and folders, from `cwd`. Empty: `cwd` itself. */
  readonly paths: readonly string[]
  /** Major version of `redis` that the result uses. */
  readonly target: 5 | 6
  /** Globs of files to read; all supported files if absent. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly mode: 'dry-run' | 'write' | 'check'
}
