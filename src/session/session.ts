/**
 * One session as the application holds it: a snapshot that is read from, and writes that are committed when they resolve.
 * Values are parsed and frozen when first asked for. After a write the snapshot is what was committed, with what others had
 * written before it.
 */
import { deepFreeze } from './json-value.ts'
import { parseProfile, type SessionProfile, type SessionRecord } from './session-codec.ts'
import { type Change, changeDelete, changeSet, type SessionData } from './session-data.ts'
import { deadlineOf } from './session-policy.ts'
import type { Loaded } from './session-vault.ts'
import { sessionIdOf } from './ticket.ts'
import type { Authentication, DeepReadonly, OptionalKeys, Session, User } from './types.ts'

/** What a snapshot needs to know and do; the store provides it. */
export interface SessionBackend<D extends object> {
  readonly data: SessionData<D>
  /** Data of a visitor without a session: the schema's defaults. */
  emptyData(): DeepReadonly<D>
  /** Commits the changes and resolves to the record as it is then. Without a session (`from` is null) it creates one. */
  commit(from: Loaded | null, secretHash: Buffer | null, changes: readonly Change[]): Promise<Loaded>
}

export class SessionSnapshot<D extends object> implements Session<D> {
  readonly outage: 'stale' | 'anonymous' | null
  readonly #backend: SessionBackend<D>
  readonly #secretHash: Buffer | null
  #loaded: Loaded | null
  #data: DeepReadonly<D> | null = null
  #profile: SessionProfile | null = null

  /** @param secretHash of the ticket that opened it: what entitles to write. */
  constructor(
    backend: SessionBackend<D>,
    loaded: Loaded | null,
    secretHash: Buffer | null,
    outage: 'stale' | 'anonymous' | null = null,
  ) {
    this.outage = outage
    this.#backend = backend
    this.#loaded = loaded
    this.#secretHash = secretHash
  }

  get id(): string | null {
    return this.#loaded && sessionIdOf(this.#loaded.ref)
  }

  get user(): User | null {
    const { userId, claims } = this.#profileOf()
    return userId === undefined ? null : { ...claims, id: userId }
  }

  get authentication(): Authentication | null {
    return this.#profileOf().authentication ?? null
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
    return (this.data as { readonly [P in keyof D]: DeepReadonly<D[P]> })[key]
  }

  // The three writers are async so that a refused argument is a rejected promise, like every other failure of theirs.
  async set<K extends keyof D>(key: K, value: D[K]): Promise<void> {
    await this.#commit(changeSet(key as string, value))
  }

  async delete(key: OptionalKeys<D>): Promise<void> {
    await this.#commit(changeDelete(key as string))
  }

  async update(fn: (draft: D) => void): Promise<void> {
    await this.#commit(fn as Change)
  }

  /** For the store: what this snapshot shows from now on. */
  adopt(loaded: Loaded | null): void {
    this.#loaded = loaded
    this.#data = null
    this.#profile = null
  }

  /** `JSON.stringify(session)` and logs show what may be seen. */
  toJSON(): unknown {
    return {
      id: this.id,
      user: this.user,
      data: this.data,
      createdAtMs: this.createdAtMs,
      expiresAtMs: this.expiresAtMs,
    }
  }

  async #commit(change: Change): Promise<void> {
    this.adopt(await this.#backend.commit(this.#loaded, this.#secretHash, [change]))
  }

  #record(): SessionRecord | null {
    return this.#loaded?.record ?? null
  }

  #profileOf(): SessionProfile {
    this.#profile ??= this.#loaded ? frozenProfile(this.#loaded.record) : {}
    return this.#profile
  }
}

function frozenProfile(record: SessionRecord): SessionProfile {
  const profile = parseProfile(record)
  deepFreeze<object>(profile)
  return profile
}
