/**
 * Asks the questions of `coatcheck init` on a terminal. A canceled question throws `Cancelled`. The command asks all questions
 * before it writes the first file.
 */
import { CANCEL_SYMBOL, confirm, select, text } from '@clack/prompts'

/** The user canceled a question (Ctrl+C, Escape, Ctrl+D), or the process received a signal to stop. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

export interface Choice<Value extends string> {
  readonly value: Value
  readonly label: string
  readonly hint?: string
}

export interface Questions {
  /**
   * Asks for one of several values. `initial` is selected first.
   * @throws {Cancelled}
   */
  select<Value extends string>(message: string, choices: readonly Choice<Value>[], initial?: Value): Promise<Value>
  /**
   * @param problemOf returns why an answer is invalid; `undefined`: it is valid
   * @throws {Cancelled}
   */
  text(message: string, placeholder: string, problemOf: (answer: string) => string | undefined): Promise<string>
  /**
   * Asks yes or no.
   * @throws {Cancelled}
   */
  confirm(message: string): Promise<boolean>
}

const output = process.stderr

/** @param stop aborted when the process must stop, as by SIGTERM: the open question is canceled */
export function terminalQuestions(stop: AbortSignal): Questions {
  return {
    select: (message, choices, initial) =>
      answered(stop, (signal) =>
        select<string>({
          message,
          options: choices.map((choice) => ({ ...choice })),
          ...(initial !== undefined && { initialValue: initial }),
          output,
          signal,
        }),
      ) as Promise<(typeof choices)[number]['value']>,
    text: (message, placeholder, problemOf) =>
      answered(stop, (signal) =>
        text({ message, placeholder, validate: (given) => problemOf(given ?? ''), output, signal }),
      ),
    confirm: (message) => answered(stop, (signal) => confirm({ message, output, signal })),
  }
}

async function answered<Answer>(
  stop: AbortSignal,
  ask: (signal: AbortSignal) => Promise<Answer | typeof CANCEL_SYMBOL>,
): Promise<Answer> {
  if (stop.aborted) throw new Cancelled()
  // Ctrl+D closes the input, and the library then waits for a key that can never arrive. Node would exit with code 13.
  const closed = new AbortController()
  const close = (): void => closed.abort()
  process.once('beforeExit', close)
  try {
    const answer = await ask(AbortSignal.any([stop, closed.signal]))
    if (answer === CANCEL_SYMBOL) throw new Cancelled()
    return answer
  } finally {
    process.off('beforeExit', close)
  }
}
