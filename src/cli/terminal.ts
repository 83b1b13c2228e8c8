/** The terminal as commands see it, so that a test can hand them another one. */
import { addAbortSignal } from 'node:stream'

export interface Terminal {
  readonly stdout: TextSink
  readonly stderr: TextSink
  /** Whether somebody can be asked: input and error output are a terminal. */
  readonly isInteractive: boolean
  /** What is piped in, as text, in pieces of any length. Ends early, with an error, when the signal is aborted. */
  input(signal: AbortSignal): AsyncIterable<string>
  /** Where relative paths and configuration are looked for. */
  readonly folder: string
  /** Calls the listener at Ctrl-C and SIGTERM, instead of ending the process. Returns how to stop listening. */
  onInterrupt(listener: () => void): () => void
}

export interface TextSink {
  readonly isTerminal: boolean
  /** Colours may be used: a terminal, no `NO_COLOR`, no `TERM=dumb`. */
  readonly hasColour: boolean
  readonly columns: number
  write(text: string): void
}

const DEFAULT_COLUMNS = 80
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export function processTerminal(): Terminal {
  // Whoever reads our output may stop, as `head` does: that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    stdout: sink(process.stdout),
    stderr: sink(process.stderr),
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    input: (signal) => addAbortSignal(signal, process.stdin.setEncoding('utf8')) as AsyncIterable<string>,
    folder: process.cwd(),
    onInterrupt(listener) {
      for (const signal of SIGNALS) process.on(signal, listener)
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener)
      }
    },
  }
}

function sink(stream: NodeJS.WriteStream): TextSink {
  return {
    isTerminal: stream.isTTY,
    // Node's own question knows NO_COLOR, FORCE_COLOR and TERM. One colour is none.
    hasColour: stream.isTTY && stream.hasColors(),
    get columns() {
      return stream.columns || DEFAULT_COLUMNS
    },
    write(text) {
      stream.write(text)
    },
  }
}
