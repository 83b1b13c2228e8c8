/** Replaces the text under an old key, whatever text the library stored there before. The library itself writes without a comparison. */
import type { OldRecordDriver } from './old-record-driver.ts'
import { ATTEMPTS } from './remove-record.ts'

/** Returns false for bytes that are not UTF-8. No library here stores them, so they belong to another application. */
export function isText(text: string): boolean {
  return text !== ''
}

/**
 * Repeats a conditional write until no other process comes between.
 * @param ttlMs `null` keeps the remaining life of the key, if it is there
 * @returns false: the key belongs to another application, which stored bytes or another type, and nothing was written
 */
export async function writeText(
  old: OldRecordDriver,
  key: string,
  text: string,
  ttlMs: number | null,
): Promise<boolean> {
  let current = await old.read(key)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (current && !isText(current.text)) return false
    const written = current ? await old.replace(key, current.text, text, ttlMs) : await old.create(key, text, ttlMs)
    if (written.status === 'written') return true
    // The read found no string and the write could not create one: the key has another type.
    if (written.status === 'missing' && !current) return false
    current = written.status === 'changed' ? written.current : null
  }
  throw new Error(`An old key changed ${ATTEMPTS} times while it was written.`)
}
