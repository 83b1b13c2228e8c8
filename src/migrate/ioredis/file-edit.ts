/** One file on its way from ioredis to node-redis: its edits, its marks, and the helpers that it will import. */
import { ts } from 'ts-morph'
import { Edits } from './edits.ts'
import { markText, markStateAt } from './marks.ts'
import type { Site, SiteState } from './report.ts'

/** Stands for a name of the generated file until all names of the file are known. */
const placeholderOf = (name: string): string => `\u0001${name}\u0002`

/** Stands for the path of the generated file. */
export const HELPER_PATH = '\u0001\u0002'
const PLACEHOLDER = /\u0001(\w+)(?:\u0003(\w+))?\u0002/g

export class FileEdit {
  readonly source: ts.SourceFile
  readonly edits = new Edits()
  readonly sites: Site[] = []
  readonly #path: string
  readonly #quote: string
  readonly #helpers = new Set<string>()
  readonly #needs = new Set<string>()
  readonly #lines: readonly string[]
  /** Marks by the offset of the line above which they stand, then by code. */
  readonly #marks = new Map<number, Map<string, string>>()
  /** Nodes whose place was reported, so that no second rule reports it. */
  readonly #decided = new Set<ts.Node>()
  readonly #marked = new Set<ts.Node>()
  /** Lines whose `@ts-expect-error` was changed. */
  readonly #relaxed = new Set<number>()

  constructor(source: ts.SourceFile, path: string) {
    this.source = source
    this.#path = path
    const [double, single] = [/"/g, /'/g].map((quote) => source.text.match(quote)?.length ?? 0)
    this.#quote = (double ?? 0) > (single ?? 0) ? '"' : "'"
    this.#lines = source.text.split(/\r?\n/)
  }

  /** Names of the generated file that the edits use. */
  get helpers(): ReadonlySet<string> {
    return this.#helpers
  }

  /** A text as a literal with the quotes of the file. */
  quoted(text: string): string {
    return this.#quote + text + this.#quote
  }

  /** A name of the generated file that the text uses without an import. */
  needs(name: string): void {
    this.#needs.add(name)
  }

  /** Names of the generated file that must be in it. */
  get needed(): ReadonlySet<string> {
    return new Set([...this.#helpers, ...this.#needs])
  }

  /** A name of the generated file, for the text of an edit. */
  helper(name: string): string {
    this.#helpers.add(name)
    return placeholderOf(name)
  }

  /** The same in an export that has to have the name `exported`. */
  exportedHelper(name: string, exported: string): string {
    this.#helpers.add(name)
    return `\u0001${name}\u0003${exported}\u0002`
  }

  isDecided(node: ts.Node): boolean {
    return this.#decided.has(node)
  }

  /** True if a mark of an earlier run, or the answer of a person, stands above the place. Then no edit may touch it. Reports the place. */
  stands(node: ts.Node, rule: string): boolean {
    const markState = markStateAt(this.#lines, this.#lineAbove(node))
    if (markState.state === 'none') return false
    this.#report(node, rule, markState.state, markState.state === 'marked' ? markState.code : markState.reason)
    return true
  }

  record(node: ts.Node, rule: string, state: 'rewritten' | 'helper'): void {
    this.#relaxDirective(node)
    this.#report(node, rule, state)
  }

  /** Asks a person. A second mark of one code on one line becomes no second comment. */
  mark(node: ts.Node, rule: string, code: string, advice: string): void {
    if (this.#marked.has(node) || this.stands(node, rule)) return
    this.#marked.add(node)
    const at = this.source.getPositionOfLineAndCharacter(this.#lineAbove(node), 0)
    const marks = this.#marks.get(at) ?? new Map<string, string>()
    if (!marks.has(code)) marks.set(code, markText(code, advice))
    this.#marks.set(at, marks)
    this.#report(node, rule, 'marked', code)
  }

  /** @param nameOf local name of a helper */
  render(nameOf: (helper: string) => string, specifier: string): string {
    const eol = this.source.text.includes('\r\n') ? '\r\n' : '\n'
    for (const [at, marks] of this.#marks) {
      const indent = /^[ \t]*/.exec(this.source.text.slice(at))?.[0] ?? ''
      this.edits.open(at, [...marks.values()].map((text) => `${indent}${text}${eol}`).join(''), Number.MAX_SAFE_INTEGER)
    }
    return this.edits
      .apply(this.source.text)
      .replaceAll(HELPER_PATH, specifier)
      .replace(PLACEHOLDER, (_match, name: string, exported?: string) => {
        const local = nameOf(name)
        return exported === undefined || exported === local ? local : `${local} as ${exported}`
      })
  }

  /** The line above which a comment may stand: that of the node, unless the line begins inside a template or JSX text. */
  #lineAbove(node: ts.Node): number {
    let at: ts.Node = node
    let line = this.#lineOf(node)
    for (;;) {
      const start = this.source.getPositionOfLineAndCharacter(line, 0)
      const around = enclosing(at, start)
      if (!around) return line
      at = around
      line = this.#lineOf(around)
    }
  }

  /** The compiler may accept the rewritten code, and then complains about an `@ts-expect-error` above it. */
  #relaxDirective(node: ts.Node): void {
    const line = this.#lineOf(node) - 1
    const [directive, before] = /^(\s*\/\/\s*)@ts-expect-error\b/.exec(this.#lines[line] ?? '') ?? []
    if (directive === undefined || before === undefined || this.#relaxed.has(line)) return
    this.#relaxed.add(line)
    const start = this.source.getPositionOfLineAndCharacter(line, before.length)
    this.edits.replace(start, start + directive.length - before.length, '@ts-ignore')
  }

  #lineOf(node: ts.Node): number {
    return this.source.getLineAndCharacterOfPosition(node.getStart(this.source)).line
  }

  #report(node: ts.Node, rule: string, state: SiteState, code?: string): void {
    this.#decided.add(node)
    this.sites.push({
      file: this.#path,
      line: this.#lineOf(node) + 1,
      rule,
      state,
      text: node.getText(this.source).replace(/\s+/g, ' ').slice(0, 160),
      ...(code === undefined ? {} : { code }),
    })
  }
}

/** The template or JSX element around `node` inside which offset `start` lies. */
function enclosing(node: ts.Node, start: number): ts.Node | undefined {
  for (let at = node.parent as ts.Node | undefined; at; at = at.parent as ts.Node | undefined) {
    if ((ts.isTemplateExpression(at) || ts.isJsxElement(at) || ts.isJsxFragment(at)) && at.getStart() < start) return at
    if (ts.isStatement(at)) return undefined
  }
  return undefined
}
