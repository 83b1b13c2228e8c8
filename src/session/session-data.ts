/**
 * The application's data of a session: parsing, the schema and its versions, changing a draft. Everything that is stored
 * has passed through `finishDraft`: it is JSON, within its size, and fits the schema.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ResolvedSession } from '../config/session-settings.ts'
import { MisuseError, SessionError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'
import { safeText } from '../core/redact.ts'
import { toJsonText } from './json-value.ts'
import { copyOfPlain, readOnly } from './read-only.ts'
import { type Change, changed, type Draft } from './session-change.ts'
import type { SessionRecord } from './session-codec.ts'
import type { DeepReadonly } from './types.ts'

export interface SessionData<D extends object> {
  /** What a session starts with: the schema's output for `{}`, and what was given on top. */
  initial(given: Draft): { readonly schemaVersion: number; readonly dataBytes: Buffer }
  /** What a session starts with after the changes: for `initial`. Throws what a change throws. */
  draft(changes: readonly Change[]): Draft
  /** Read-only to its depths, in the shape of the current schema version. All who read the same record share it. */
  read(record: SessionRecord): DeepReadonly<D>
  /** The same as a copy of objects without a prototype, for the caller alone. */
  copy(record: SessionRecord): D
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
    const text = toJsonText(draft, '') ?? '{}'
    // Of the text: fields that objects of the caller inherit are no data, and a schema would read them.
    const value = isNewer || !config.schema ? draft : validated(config.schema, parseJson(text) as Draft)
    const dataBytes = Buffer.from(toJsonText(value, '') ?? '{}', 'utf8')
    if (dataBytes.length > config.maxBytes) {
      throw new SessionError('COATCHECK_SESSION_TOO_LARGE', {
        message: `The session data would have ${dataBytes.length} bytes. session.maxBytes allows ${config.maxBytes}. Nothing was changed.`,
        details: { bytes: dataBytes.length, maxBytes: config.maxBytes },
      })
    }
    return { schemaVersion: isNewer ? schemaVersion : config.schemaVersion, dataBytes }
  }

  const isCurrent = (record: SessionRecord): boolean => record.schemaVersion >= config.schemaVersion
  const copy = (record: SessionRecord): Draft => {
    const draft = parseData(record)
    if (isCurrent(record)) return draft
    return copyOfPlain(validated(config.schema, upcast(draft, record.schemaVersion, config)))
  }

  /** Only JSON is shared: what a schema makes of an older record may hold more. */
  const shared = new WeakMap<SessionRecord, DeepReadonly<D>>()
  return {
    initial: (given) => finish({ ...given }, config.schemaVersion),
    copy: (record) => copy(record) as D,

    read(record) {
      const known = shared.get(record)
      if (known) return known
      const data = readOnly(copy(record), 'session.data') as DeepReadonly<D>
      if (isCurrent(record)) shared.set(record, data)
      return data
    },

    draft: (changes) =>
      changed(() => parseJson(finish({}, config.schemaVersion).dataBytes.toString('utf8')) as Draft, changes),

    apply(record, changes) {
      const draft = changed(() => upcast(parseData(record), record.schemaVersion, config), changes)
      return finish(draft, Math.max(record.schemaVersion, config.schemaVersion))
    },
  }
}

function parseData(record: SessionRecord): Draft {
  return parseJson(record.dataBytes.toString('utf8')) as Draft
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
