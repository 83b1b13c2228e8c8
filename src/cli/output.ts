/**
 * Output of commands: data on stdout, everything else on stderr. `--json` prints one document. Tables are drawn for people, and separated
 * by tabs for programs. Color is used on a terminal only. External text is printed on one line.
 */
import { styleText } from 'node:util'
import Table from 'cli-table3'
import { Help } from 'commander'
import { safeJson, safeScreen, safeText } from '../core/redact.ts'
import type { Terminal, TextSink } from './terminal.ts'

/** Increased when a field of a document is renamed or removed. New fields do not count. */
const JSON_SCHEMA = 1

/** Longer lines are hard to read. */
const MAX_TEXT_COLUMNS = 100

export type Colour = 'green' | 'yellow' | 'red' | 'bold' | 'dim' | 'cyan'

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string | number | null
  readonly align?: 'right'
}

export class Output {
  readonly isJson: boolean
  readonly #command: string
  readonly #terminal: Terminal
  #hasProgress = false

  constructor(terminal: Terminal, command: string, isJson: boolean) {
    this.#terminal = terminal
    this.#command = command
    this.isJson = isJson
  }

  /** Prints the result: the document with `--json`, otherwise the text. */
  data(document: object, text: () => string): void {
    this.#endProgress()
    if (this.isJson) {
      this.#terminal.stdout.write(`${this.#json(document, 2)}\n`)
      return
    }
    const shown = safeScreen(text(), this.#terminal.stdout.hasColour)
    if (shown !== '') this.#terminal.stdout.write(shown.endsWith('\n') ? shown : `${shown}\n`)
  }

  /** Prints one of many results at once: with `--json` as one document per line (NDJSON). */
  line(document: object, text: () => string): void {
    const { stdout } = this.#terminal
    stdout.write(`${this.isJson ? this.#json(document) : safeScreen(text(), stdout.hasColour)}\n`)
  }

  /** Prints text besides the data: announcements, hints, summaries. */
  note(text: string): void {
    this.#endProgress()
    const { stderr } = this.#terminal
    stderr.write(`${safeScreen(text, stderr.hasColour)}\n`)
  }

  /** Shows progress: one line that is overwritten repeatedly, on a terminal only. */
  progress(text: string): void {
    const { stderr } = this.#terminal
    if (!stderr.isTerminal || this.isJson) return
    stderr.write(`\r\u001b[2K${safeText(text, stderr.columns - 2)}`)
    this.#hasProgress = true
  }

  /** Formats rows as a table for people. If stdout is not a terminal, uses tabs without a frame. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
    const { stdout } = this.#terminal
    const cells = rows.map((row) => columns.map(({ value }) => shown(value(row))))
    const titles = columns.map(({ title }) => title)
    if (!stdout.isTerminal) return [titles, ...cells].map((line) => line.join('\t')).join('\n')
    const table = new Table({
      head: titles.map((title) => this.paint('dim', title)),
      chars: PLAIN,
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
      colAligns: columns.map(({ align }) => align ?? 'left'),
    })
    table.push(...cells)
    return table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
  }

  /**
   * Wraps the text for people; leaves it unchanged for programs.
   * @param indent columns that the caller puts in front
   */
  wrapped(text: string, indent = 2): string {
    const { stdout } = this.#terminal
    if (!stdout.isTerminal) return text
    return new Help().boxWrap(text, Math.min(MAX_TEXT_COLUMNS, stdout.columns) - indent)
  }

  paint(colour: Colour, text: string, on: 'stdout' | 'stderr' = 'stdout'): string {
    const sink: TextSink = this.#terminal[on]
    return sink.hasColour && !this.isJson ? styleText(colour, text, { validateStream: false }) : text
  }

  #json(document: object, indent?: number): string {
    return safeJson(JSON.stringify({ schema: JSON_SCHEMA, command: this.#command, ...document }, null, indent))
  }

  #endProgress(): void {
    if (!this.#hasProgress) return
    this.#terminal.stderr.write('\r\u001b[2K')
    this.#hasProgress = false
  }
}

/** All frame characters of cli-table3. */
const PLAIN = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat('middle')
    .map((name) => [name, '']),
)

function shown(value: string | number | null): string {
  if (value === null) return ''
  return typeof value === 'number' ? value.toLocaleString('en') : safeText(value)
}
