/**
 * How commands speak: data on stdout, everything else on stderr; `--json` gives one document, tables are drawn for people
 * and separated by tabs for programs; colour on a terminal only. Whatever came from outside is shown on one line.
 */
import { styleText } from 'node:util'
import Table from 'cli-table3'
import { Help } from 'commander'
import { safeJson, safeScreen, safeText } from '../core/redact.ts'
import type { Terminal, TextSink } from './terminal.ts'

/** Grows by one when a field of some document is renamed or goes. New fields do not count. */
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

  /** What was asked for: the document with `--json`, else the text for people. */
  data(document: object, text: () => string): void {
    this.#endProgress()
    if (this.isJson) {
      this.#terminal.stdout.write(`${this.#json(document, 2)}\n`)
      return
    }
    const shown = safeScreen(text(), this.#terminal.stdout.hasColour)
    if (shown !== '') this.#terminal.stdout.write(shown.endsWith('\n') ? shown : `${shown}\n`)
  }

  /** One of many, as it comes: with `--json` a document on a line of its own (NDJSON). */
  line(document: object, text: () => string): void {
    const { stdout } = this.#terminal
    stdout.write(`${this.isJson ? this.#json(document) : safeScreen(text(), stdout.hasColour)}\n`)
  }

  /** Beside the data: what is about to happen, hints, summaries. */
  note(text: string): void {
    this.#endProgress()
    const { stderr } = this.#terminal
    stderr.write(`${safeScreen(text, stderr.hasColour)}\n`)
  }

  /** How far it is: one line that is written again and again, on a terminal only. */
  progress(text: string): void {
    const { stderr } = this.#terminal
    if (!stderr.isTerminal || this.isJson) return
    stderr.write(`\r\u001b[2K${safeText(text, stderr.columns - 2)}`)
    this.#hasProgress = true
  }

  /** Rows as a table for people; with tabs, without a frame, when stdout is no terminal. */
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

  /** Broken into lines for people to read; as it is for programs. @param indent columns that the caller puts in front */
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

/** Every character of a frame that cli-table3 knows. */
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
