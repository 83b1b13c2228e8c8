/**
 * Runs a step that the store refuses when the record has changed, and returns the current record. The reply to another command can look
 * like such a refusal (redis/reply-alignment.ts). Its record belongs to another session and does not open here. So this module trusts a
 * conflict only if its record opens. Otherwise the driver checks its connection, and the same step runs again: each of these steps knows
 * its own nonce.
 */
import { SessionError } from '../core/errors.ts'
import type { SessionDriver, SessionRef } from './session-driver.ts'
import type { Loaded, Vault } from './session-vault.ts'

const ATTEMPTS = 3

type Conflict = { readonly status: 'conflict'; readonly record: Buffer }

/**
 * @param step safe to run twice
 * @returns the reply, or the current record of the session
 * @throws {SessionError} `COATCHECK_SESSION_ENDED` if replies are aligned and no record opens; also the errors of the step and of the check
 */
export async function believedConflict<R extends { readonly status: string }>(
  { driver, vault }: { readonly driver: SessionDriver; readonly vault: Vault },
  ref: SessionRef,
  step: () => Promise<R | Conflict>,
): Promise<Exclude<R, Conflict> | { readonly status: 'changed'; readonly current: Loaded }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const reply = await step()
    if (!isConflict(reply)) return reply as Exclude<R, Conflict>
    const current = vault.open(ref, reply.record)
    if (typeof current !== 'string') return { status: 'changed', current }
    if (!driver.confirm) break
    await driver.confirm(ref)
  }
  throw new SessionError('COATCHECK_SESSION_ENDED')
}

function isConflict(reply: { readonly status: string }): reply is Conflict {
  return reply.status === 'conflict'
}
