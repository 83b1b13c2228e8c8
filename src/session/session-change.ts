/**
 * A change to the data of a session by `set`, `delete` or `update`, and its application to a draft.
 * `session-data.ts` checks the result against the limits and the schema.
 */
import { MisuseError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'
import { toJsonText } from './json-value.ts'

export type Draft = Record<string, unknown>

/** Synchronous and pure, because it is applied again after a conflict. Its return value is no part of the change. */
export type Change = (draft: Draft) => unknown

/** `session.set(field, value)`: copies the value now, not when the change is applied. */
export function changeSet(field: string, value: unknown): Change {
  if (typeof field !== 'string' || field === '__proto__') {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      'set(field, value): field must be a text other than "__proto__".',
      { fix: "Name one field: await session.set('theme', 'dark'). For several, use session.update()." },
    )
  }
  const text = toJsonText(value, field)
  if (text === undefined) return changeDelete(field)
  return (draft) => {
    draft[field] = parseJson(text)
  }
}

export function changeDelete(field: string): Change {
  return (draft) => {
    delete draft[field]
  }
}

/**
 * Returns the draft with the changes applied in order.
 * @param start makes the initial draft, a new one at each call
 * @throws {MisuseError} `COATCHECK_SESSION_UPDATE` when a change is no function, returned a promise, or returned a changed
 *   copy instead of changing the draft
 * @throws the error of a change
 */
export function changed(start: () => Draft, changes: readonly Change[]): Draft {
  const draft = start()
  for (const [index, change] of changes.entries()) {
    if (typeof change !== 'function') throw refusal('update(fn): fn is no function. Nothing was changed.')
    const result = change(draft)
    if (isThenable(result)) {
      // The caller gets the misuse error. A second, unhandled rejection of the callback itself would end the process.
      Promise.resolve(result).catch(() => undefined)
      throw refusal(
        'update(fn): fn is asynchronous. Await everything else first, then change the draft synchronously. Nothing was changed.',
      )
    }
    if (isChangedCopy(result, draft, () => changed(start, changes.slice(0, index)))) {
      throw refusal(
        'update(fn): fn returned a changed copy. Change the draft itself, since what fn returns is ignored. Nothing was changed.',
      )
    }
  }
  return draft
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

/**
 * Recognizes `(draft) => ({ ...draft, theme: 'dark' })`, as reducers do it. Without this check, the whole change is lost without notice.
 */
function isChangedCopy(result: unknown, draft: Draft, before: () => Draft): boolean {
  if (typeof result !== 'object' || result === null || Array.isArray(result) || result === draft) return false
  if (Object.getPrototypeOf(result) !== Object.prototype) return false
  // `(draft) => (draft.cart = { … })` returns a part of the draft, and is correct.
  if (Object.values(draft).includes(result) || !Object.keys(draft).every((field) => Object.hasOwn(result, field))) {
    return false
  }
  const text = JSON.stringify(draft)
  return JSON.stringify(result) !== text && JSON.stringify(before()) === text
}

function refusal(message: string): MisuseError {
  return new MisuseError('COATCHECK_SESSION_UPDATE', message)
}
