/** A piece of the generated file: what it exports, what it stands on, and its TypeScript source. */
export interface Part {
  readonly name: string
  /** Names that migrated files import. */
  readonly exports: readonly string[]
  readonly types?: readonly string[]
  /** Parts that this one calls. */
  readonly needs: readonly string[]
  /** Module → names that the source imports; a type has `type ` in front. */
  readonly imports?: Readonly<Record<string, readonly string[]>>
  readonly source: string
}
