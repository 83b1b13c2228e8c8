/**
 * Edits of one file's text. An edit covers tokens only and never a whole argument, so that edits of nested calls compose: the outer call
 * replaces its own name and commas, the inner call its own.
 */

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
  /** `open`: text before a node that starts here. `close`: text after a node that ends here. */
  readonly side: 'close' | 'replace' | 'open'
  /** Length of the node that the edit belongs to. Of two nodes at one place, the longer one opens first and closes last. */
  readonly span: number
}

const SIDES = { close: 0, open: 1, replace: 2 } as const

export class Edits {
  readonly #edits: Edit[] = []

  get size(): number {
    return this.#edits.length
  }

  /** Text before the node that starts at `at` and is `span` long. */
  open(at: number, text: string, span: number): void {
    this.#edits.push({ start: at, end: at, text, side: 'open', span })
  }

  /** Text after the node that ends at `at` and is `span` long. */
  close(at: number, text: string, span: number): void {
    this.#edits.push({ start: at, end: at, text, side: 'close', span })
  }

  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text, side: 'replace', span: 0 })
  }

  /** True if a replacement overlaps the range. */
  touches(start: number, end: number): boolean {
    return this.#edits.some((edit) => edit.side === 'replace' && edit.start < end && start < edit.end)
  }

  /** @throws Error if two edits replace the same text: the caller keeps the file as it is */
  apply(source: string): string {
    let result = ''
    let at = 0
    for (const { start, end, text } of this.#edits.toSorted(byPlace)) {
      if (start < at) throw new Error(`Two edits overlap at offset ${start}.`)
      result += source.slice(at, start) + text
      at = end
    }
    return result + source.slice(at)
  }
}

function byPlace(a: Edit, b: Edit): number {
  if (a.start !== b.start) return a.start - b.start
  if (a.side !== b.side) return SIDES[a.side] - SIDES[b.side]
  return a.side === 'close' ? a.span - b.span : b.span - a.span
}
