/**
 * The application's data of a session: parsing, the schema and its versions, changing a draft. Everything that is stored
 * has passed through `finishDraft`: it is JSON, within its size, and fits the schema.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ResolvedSession } from '../config/types.ts'
import { MisuseError, SessionError } from '../core/errors.ts'
import { safeText } from '../core/redact.ts'
import { deepFreeze, toJsonText } from './json-value.ts'
import type { SessionRecord } from './session-codec.ts'
import type { DeepReadonly } from './types.ts'

export type Draft = Record<string, unknown>

/** A change to a draft: synchronous and pure, because it is applied again after a conflict. */
export type Change = (draft: Draft) => void

export interface SessionData<D extends object> {
  /** What a session starts with: the schema's output for `{}`, and what was given on top. */
  initial(given: Draft): { readonly schemaVersion: number; readonly dataBytes: Buffer }
  /** Deeply frozen, in the shape of the current schema version. */
  read(record: SessionRecord): DeepReadonly<D>
  /** The record's data with the changes applied in order. Throws what a change throws, with nothing applied. */
  apply(
    record: SessionRecord,
    changes: readonly Change[],
  ): { readonly schemaVersion: number; readonly dataBytes: Buffer }
}

export function createSessionData<D extends object>(config: ResolvedSession<D>): SessionData<D> {
  const finish = (draft: Draft, schemaVersion: number): { schemaVersion: number; dataBytes: Buffer } => {
    // Data of a newer version was shaped by a newer release: this one keeps what it does not know.
    const isNewer = schemaVersion > config.schemaVersion
    // The draft is checked before the schema sees it: a transform could hide a Date from us.
    toJsonText(draft, '')
    const value = isNewer ? draft : validated(config.schema, draft)
    const dataBytes = Buffer.from(toJsonText(value, '') ?? '{}', 'utf8')
    if (dataBytes.length > config.maxBytes) {
      throw new SessionError('COATCHECK_SESSION_TOO_LARGE', {
        message: `The session data would have ${dataBytes.length} bytes. session.maxBytes allows ${config.maxBytes}. Nothing was changed.`,
        details: { bytes: dataBytes.length, maxBytes: config.maxBytes },
      })
    }
    return { schemaVersion: isNewer ? schemaVersion : config.schemaVersion, dataBytes }
  }

  /** JSON, frozen to its depths, so that all who read the same record may share it. What a schema has made may hold more than JSON. */
  const frozen = new WeakMap<SessionRecord, DeepReadonly<D>>()
  return {
    initial: (given) => finish({ ...given }, config.schemaVersion),

    read(record) {
      const known = frozen.get(record)
      if (known) return known
      const draft = parseData(record)
      if (record.schemaVersion >= config.schemaVersion) {
        const data = deepFreeze(draft) as DeepReadonly<D>
        frozen.set(record, data)
        return data
      }
      return deepFreeze(validated(config.schema, upcast(draft, record.schemaVersion, config))) as DeepReadonly<D>
    },

    apply(record, changes) {
      const draft = upcast(parseData(record), record.schemaVersion, config)
      for (const change of changes) {
        const apply: (draft: Draft) => unknown = change
        const result = apply(draft)
        if (result instanceof Promise) {
          // Its rejection belongs to the caller, who gets the misuse error instead.
          result.catch(() => undefined)
          throw new MisuseError(
            'COATCHECK_INVALID_ARGUMENT',
            'update(fn): fn returned a promise; it must change the draft synchronously, because it may be applied again.',
          )
        }
      }
      return finish(draft, Math.max(record.schemaVersion, config.schemaVersion))
    },
  }
}

/** `session.set(field, value)`: takes its snapshot of the value now, not when the change is applied. */
export function changeSet(field: string, value: unknown): Change {
  if (typeof field !== 'string' || field === '__proto__') {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      'set(field, value): field must be a text other than "__proto__".',
    )
  }
  const text = toJsonText(value, field)
  if (text === undefined) return changeDelete(field)
  return (draft) => {
    draft[field] = JSON.parse(text)
  }
}

export function changeDelete(field: string): Change {
  return (draft) => {
    delete draft[field]
  }
}

function parseData(record: SessionRecord): Draft {
  return JSON.parse(record.dataBytes.toString('utf8')) as Draft
}

function upcast<D extends object>(draft: Draft, fromVersion: number, config: ResolvedSession<D>): Draft {
  let data = draft
  for (let version = fromVersion; version < config.schemaVersion; version++) {
    data = config.upcasts[version]?.(data) ?? data
  }
  return data
}

function validated<D extends object>(schema: StandardSchemaV1<unknown, D> | null, draft: Draft): Draft {
  if (!schema) return draft
  const result = schema['~standard'].validate(draft)
  if (result instanceof Promise) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      'session.schema validates asynchronously; only synchronous schemas work here.',
    )
  }
  if (!result.issues) return result.value as Draft
  const [issue] = result.issues
  const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
  // The schema's own message may quote the value, so only the path is told.
  throw new SessionError('COATCHECK_SESSION_SCHEMA', {
    message: `session.schema refuses the value at "${safeText(path)}" (${result.issues.length} problems in all). Nothing was changed.`,
    details: { path: safeText(path), problems: result.issues.length },
  })
}
