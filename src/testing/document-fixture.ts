/** Base of the document cases: the harness, and sessions of other libraries over its driver. */
import { EventBus } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import type { DocumentDriver } from '../documents/document-driver.ts'
import { createDocuments, type Documents } from '../documents/documents.ts'
import { type HostSession, hostSessionCodec } from '../documents/host-session-record.ts'
import { createHostSessions, type HostSessions } from '../documents/host-sessions.ts'
import { createKeyring } from '../keyring/keyring.ts'
import { createSeal } from '../keyring/seal.ts'
import type { FakeClock } from './fake-clock.ts'

/** What the cases of a document driver need. */
export interface DocumentHarness {
  /** The driver under test. */
  readonly driver: DocumentDriver
  /** The clock that the driver and the store share. */
  readonly clock: FakeClock
  /** Moves the clock and the store's own time. */
  advance(ms: number): Promise<void>
}

const keyring = createKeyring(`test:${Buffer.alloc(32, 7).fill(9, 16).toString('base64')}`)
const seal = createSeal(keyring)

export function hostDocuments({ driver }: Pick<DocumentHarness, 'driver'>): Documents<HostSession> {
  return createDocuments({ driver, keyring, seal, namespace: '', events: new EventBus() }, 'host', hostSessionCodec)
}

export function hostSessions(harness: DocumentHarness, events = new EventBus()): HostSessions {
  return createHostSessions({
    documents: hostDocuments(harness),
    kind: 'host',
    clock: harness.clock,
    random: systemRandom,
    events,
    userIdOf: ({ user }) => user as string | undefined,
  })
}

export const hostUserSet = (harness: DocumentHarness, userId: string): string =>
  hostDocuments(harness).refOf(`user ${userId}`).name

export const dataOf = (found: { readonly json: string } | null): Record<string, unknown> =>
  JSON.parse(found?.json ?? '{}') as Record<string, unknown>
