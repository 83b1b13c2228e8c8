/** Comparison of session values for the conformance cases. */
import assert from 'node:assert/strict'

/**
 * Compares the JSON of both values. Session data, users and devices have no prototype, and `assert.deepEqual` of `node:assert/strict`
 * compares prototypes.
 * @throws {assert.AssertionError} when they differ
 */
export function equalJson(actual: unknown, expected: unknown): void {
  const text = JSON.stringify(actual) as string | undefined
  assert.deepEqual(text === undefined ? undefined : JSON.parse(text), expected)
}
