/**
 * A screen that is written over and over: on the terminal's second screen, so that what was there before comes back whatever ends
 * the command. Where there is no terminal nothing of this is written.
 */
import { safeScreen } from '../core/redact.ts'
import type { TextSink } from './terminal.ts'

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const TO_END_OF_LINE = '\u001b[K'
const TO_END_OF_SCREEN = '\u001b[J'

export class LiveScreen {
  readonly #sink: TextSink
  #isOpen = false

  constructor(sink: TextSink) {
    this.#sink = sink
  }

  /** Line by line over what was there, so that nothing flickers. */
  show(lines: readonly string[]): void {
    if (!this.#isOpen) this.#sink.write(ENTER)
    this.#isOpen = true
    const text = lines.map((line) => `${safeScreen(line, this.#sink.hasColour)}${TO_END_OF_LINE}`).join('\r\n')
    this.#sink.write(`${HOME}${text}${TO_END_OF_SCREEN}`)
  }

  /** Twice is once. */
  close(): void {
    if (this.#isOpen) this.#sink.write(LEAVE)
    this.#isOpen = false
  }
}
