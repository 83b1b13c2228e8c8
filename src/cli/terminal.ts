/** The terminal as commands see it, so that a test can pass another one. */
import { addAbortSignal } from 'node:stream'

export interface Terminal {
  readonly stdout: TextSink
  readonly stderr: TextSink
  /** Whether the command can ask the user: input and error output are a terminal. */
  readonly isInteractive: boolean
  /** Yields piped input as text, in pieces of any length. Ends early, with an error, when the signal is aborted. */
  input(signal: AbortSignal): AsyncIterable<string>
  /** Base folder of relative paths and of the configuration. */
  readonly folder: string
  /** Calls the listener at Ctrl-C and SIGTERM, instead of ending the process. Returns a function that removes the listener. */
  onInterrupt(listener: () => void): () => void
}

export interface TextSink {
  readonly isTerminal: boolean
  /** Whether color may be used: a terminal, no `NO_COLOR`, no `TERM=dumb`. */
  readonly hasColour: boolean
  readonly columns: number
  write(text: string): void
}

const DEFAULT_COLUMNS = 80
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export function processTerminal(): Terminal {
  // A program that reads the output may stop, such as `head`. That is not a failure.
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
    // Node's own check respects NO_COLOR, FORCE_COLOR and TERM. A single color counts as none.
    hasColour: stream.isTTY && stream.hasColors(),
    get columns() {
      return stream.columns || DEFAULT_COLUMNS
    },
    write(text) {
      stream.write(text)
    },
  }
}
