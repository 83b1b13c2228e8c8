/**
 * A screen that is redrawn repeatedly, on the terminal's alternate screen. The previous content returns, however the command ends. Without
 * a terminal it writes nothing.
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

  /** Overwrites line by line, so that the screen does not flicker. */
  show(lines: readonly string[]): void {
    if (!this.#isOpen) this.#sink.write(ENTER)
    this.#isOpen = true
    const text = lines.map((line) => `${safeScreen(line, this.#sink.hasColour)}${TO_END_OF_LINE}`).join('\r\n')
    this.#sink.write(`${HOME}${text}${TO_END_OF_SCREEN}`)
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#isOpen) this.#sink.write(LEAVE)
    this.#isOpen = false
  }
}
