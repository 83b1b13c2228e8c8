/** Parses session ids that operators type. */
import { MisuseError } from '../core/errors.ts'
import { parseSessionId } from '../session/ticket.ts'

/** Returns whether a text has the shape of a session id: 16 and 22 characters with a dot in between. Does not query the store. */
export function isSessionId(text: string): boolean {
  return parseSessionId(text) !== null
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` if the text is not a session id */
export function sessionAddressOf(text: string): { readonly userKey: string; readonly id: string } {
  const address = parseSessionId(text)
  if (address !== null) return address
  throw new MisuseError('COATCHECK_INVALID_ARGUMENT', 'That is no session id: <16 characters>.<22 characters>.')
}
