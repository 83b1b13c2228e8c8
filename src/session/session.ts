/**
 * One session as the application holds it: a snapshot for reads, and writes that are committed when they resolve.
 * Values are parsed and made read-only on first use. After a write the snapshot shows the committed data, including earlier writes of
 * others.
 */
import { own } from '../core/json.ts'
import { readOnly, refuseAssignments } from './read-only.ts'
import { parseProfile, type SessionProfile, type SessionRecord } from './session-codec.ts'
import { type Change, changeDelete, changeSet } from './session-change.ts'
import type { SessionData } from './session-data.ts'
import { deadlineOf } from './session-policy.ts'
import type { WriteOperation } from './watched-write.ts'
import type { Loaded } from './loaded.ts'
import { sessionIdOf } from './ticket.ts'
import type { DeepReadonly, OptionalKeys, Session, SessionCopy } from './types.ts'
import type { Authentication, User } from './sign-in-input.ts'

/** The profile of an anonymous visitor. */
const NO_PROFILE: SessionProfile = own({})

/** The functions that a snapshot needs; the store provides them. */
export interface SessionBackend<D extends object> {
  readonly data: SessionData<D>
  /** Data of a visitor without a session: the schema's defaults. */
  emptyData(): DeepReadonly<D>
  watched<T>(operation: WriteOperation, write: Promise<T>): Promise<T>
  /** Commits the changes and resolves to the resulting record. Without a session (`from` is null) it creates one. */
  commit(from: Loaded | null, secretHash: Buffer | null, changes: readonly Change[]): Promise<Loaded>
}

export class SessionSnapshot<D extends object> implements Session<D> {
  static {
    refuseAssignments(this.prototype, 'session')
  }

  readonly #outage: 'stale' | 'anonymous' | null
  readonly #backend: SessionBackend<D>
  readonly #secretHash: Buffer | null
  #loaded: Loaded | null
  #data: DeepReadonly<D> | null = null
  #user: User | null = null
  #authentication: Authentication | null = null
  /** Never returned as it is. */
  #profile: SessionProfile | null = null

  /** @param secretHash hash of the ticket that opened the session: it gives the right to write. */
  constructor(
    backend: SessionBackend<D>,
    loaded: Loaded | null,
    secretHash: Buffer | null,
    outage: 'stale' | 'anonymous' | null = null,
  ) {
    this.#outage = outage
    this.#backend = backend
    this.#loaded = loaded
    this.#secretHash = secretHash
  }

  get outage(): 'stale' | 'anonymous' | null {
    return this.#outage
  }

  get id(): string | null {
    return this.#loaded && sessionIdOf(this.#loaded.ref)
  }

  get user(): User | null {
    if (!this.#user) {
      const user = userOf(this.#profileOf())
      this.#user = user && (readOnly<object>(user, 'session.user') as User)
    }
    return this.#user
  }

  get authentication(): Authentication | null {
    const { authentication } = this.#profileOf()
    if (authentication)
      this.#authentication ??= readOnly<object>(authentication, 'session.authentication') as Authentication
    return this.#authentication
  }

  get createdAtMs(): number | null {
    return this.#record()?.createdAtMs ?? null
  }

  get expiresAtMs(): number | null {
    const record = this.#record()
    return record ? deadlineOf(record) : null
  }

  get data(): DeepReadonly<D> {
    this.#data ??= this.#loaded ? this.#backend.data.read(this.#loaded.record) : this.#backend.emptyData()
    return this.#data
  }

  get<K extends keyof D>(key: K): DeepReadonly<D[K]> {
    const data = this.data as { readonly [P in keyof D]: DeepReadonly<D[P]> }
    // The name may come from a visitor, and "__proto__" would return the prototype of all objects.
    return (Object.hasOwn(data, key) ? data[key] : undefined) as DeepReadonly<D[K]>
  }

  set<K extends keyof D>(key: K, value: D[K]): Promise<void> {
    return this.#write('session.set', () => changeSet(key as string, value))
  }

  delete(key: OptionalKeys<D>): Promise<void> {
    return this.#write('session.delete', () => changeDelete(key as string))
  }

  update(fn: (draft: D) => void): Promise<void> {
    return this.#write('session.update', () => fn as Change)
  }

  /** For the store: replaces the record that this snapshot shows. */
  adopt(loaded: Loaded | null): void {
    this.#loaded = loaded
    this.#data = null
    this.#user = null
    this.#authentication = null
    this.#profile = null
  }

  toJSON(): SessionCopy<D> {
    const record = this.#record()
    return {
      id: this.id,
      user: record && userOf(parseProfile(record)),
      data: record ? this.#backend.data.copy(record) : (this.#backend.data.draft([]) as D),
      createdAtMs: this.createdAtMs,
      expiresAtMs: this.expiresAtMs,
    }
  }

  #write(operation: WriteOperation, change: () => Change): Promise<void> {
    // Async, so that a refused argument is a rejected promise, like every other failure of a write.
    const commit = async (): Promise<void> => {
      this.adopt(await this.#backend.commit(this.#loaded, this.#secretHash, [change()]))
    }
    return this.#backend.watched(operation, commit())
  }

  #record(): SessionRecord | null {
    return this.#loaded?.record ?? null
  }

  #profileOf(): SessionProfile {
    this.#profile ??= this.#loaded ? parseProfile(this.#loaded.record) : NO_PROFILE
    return this.#profile
  }
}

function userOf({ userId, claims }: SessionProfile): User | null {
  return userId === undefined ? null : own<User>({ ...claims, id: userId })
}
