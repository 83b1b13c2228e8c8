/** Deletes an old key if its value is a record of the library. A visitor may have chosen the name of the key, so the value decides. */
import { SessionError } from '../core/errors.ts'
import type { OldRecord, OldRecordDriver } from './old-record-driver.ts'

/** Each further attempt means that another process has changed the old key meanwhile. */
export const ATTEMPTS = 32

/**
 * Compares and deletes until the key holds no record of the library. A client that reconnects may send a removal twice, and the second reply
 * says that nothing was removed. So this function ignores that reply: a record that it read and that is gone counts as removed.
 * @param isRecord returns whether a value is a record of this kind, with this name
 * @param found called before each deletion
 * @returns the last record that was read; `null`: the key held none
 * @throws {SessionError} `COATCHECK_SESSION_CONFLICT` after 32 lost races
 */
export async function removeRecord(
  old: Pick<OldRecordDriver, 'read' | 'remove'>,
  key: string,
  isRecord: (text: string) => boolean,
  found: () => void = () => undefined,
): Promise<OldRecord | null> {
  let seen: OldRecord | null = null
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const record = await old.read(key)
    if (!record || !isRecord(record.text)) return seen
    seen = record
    found()
    if (await old.remove(key, record.text)) return seen
  }
  throw new SessionError('COATCHECK_SESSION_CONFLICT', { details: { operation: 'migrate.remove' } })
}
