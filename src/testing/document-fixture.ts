/** Base of the document cases: the harness, and sessions of other libraries over its driver. */
import { EventBus } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import type { DocumentDriver } from '../documents/document-driver.ts'
import { createDocuments, type Documents } from '../documents/documents.ts'
import { type LibrarySession, librarySessionCodec } from '../documents/library-session-record.ts'
import { createLibrarySessions, type LibrarySessions } from '../documents/library-sessions.ts'
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

export function libraryDocuments({ driver }: Pick<DocumentHarness, 'driver'>): Documents<LibrarySession> {
  return createDocuments({ driver, keyring, seal, namespace: '', events: new EventBus() }, 'host', librarySessionCodec)
}

export function librarySessions(harness: DocumentHarness, events = new EventBus()): LibrarySessions {
  return createLibrarySessions({
    documents: libraryDocuments(harness),
    kind: 'host',
    clock: harness.clock,
    random: systemRandom,
    events,
    userIdOf: ({ user }) => user as string | undefined,
  })
}

export const libraryUserSet = (harness: DocumentHarness, userId: string): string =>
  libraryDocuments(harness).refOf(`user ${userId}`).name

export const dataOf = (found: { readonly json: string } | null): Record<string, unknown> =>
  JSON.parse(found?.json ?? '{}') as Record<string, unknown>
