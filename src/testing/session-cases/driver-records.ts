/** References, records and lifetimes that the driver cases share. */
import { randomBytes } from 'node:crypto'
import { HOUR, MINUTE } from '../session-fixture.ts'
import type { SessionLife, SessionRef } from '../../session/session-driver.ts'

export const LIFE: SessionLife = { ttlMs: HOUR, slackMs: MINUTE, absoluteMs: 3 * HOUR }
export const ENDING = { reason: 'revoked', ttlMs: HOUR }

export function newRef(userKey = 'user-key-is-0016'): SessionRef {
  return { kind: 'user', userKey, id: randomBytes(16).toString('base64url') }
}

export const newRecord = (): Buffer => Buffer.concat([Buffer.alloc(8), randomBytes(60)])
export const nonceOf = (record: Buffer): Buffer => record.subarray(13, 25)
