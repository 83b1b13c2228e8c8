/** What the parts that follow values ask each other. */
import type { ts } from 'ts-morph'
import type { Kinds } from '../kinds.ts'
import type { Value, Values } from './value.ts'
import type { Writes } from './writes.ts'

export interface Follower {
  readonly kinds: Kinds
  readonly writes: Writes
  readonly modules: {
    ofImport(node: ts.Declaration): Values | null
    exported(file: ts.SourceFile, name: string): Values
  }
  readonly declarations: { ofSymbol(symbol: ts.Symbol): Values }
  of(node: ts.Node): Values
  property(object: Value, name: string): Values
}
