/**
 * The application's data of a session: parsing, the schema and its versions, changing a draft. All stored data
 * has passed `finish`: it is JSON, within its size, and fits the schema.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ResolvedSession } from '../config/session-settings.ts'
import { MisuseError, SessionError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'
import { safeText } from '../core/redact.ts'
import { toJsonText } from './json-value.ts'
import { copyOfPlain, readOnly, readOnlyJson } from './read-only.ts'
import { type Change, changed, type Draft } from './session-change.ts'
import { type SessionRecord, sharedData } from './session-codec.ts'
import type { DeepReadonly } from './types.ts'

export interface SessionData<D extends object> {
  /** Returns the first data of a session: the schema's output for `{}`, and the given fields on top. */
  initial(given: Draft): { readonly schemaVersion: number; readonly dataBytes: Buffer }
  /** Returns the first data of a session after the changes, for `initial`. Throws the errors of a change. */
  draft(changes: readonly Change[]): Draft
  /** Returns the data read-only at every depth, in the shape of the current schema version. All readers of the same record share it. */
  read(record: SessionRecord): DeepReadonly<D>
  /** Returns the same data as a copy of objects without a prototype, for the caller alone. */
  copy(record: SessionRecord): D
  /** Returns the record's data with the changes applied in order. If a change throws, it throws that error and applies nothing. */
  apply(
    record: SessionRecord,
    changes: readonly Change[],
  ): { readonly schemaVersion: number; readonly dataBytes: Buffer }
}

export function createSessionData<D extends object>(config: ResolvedSession<D>): SessionData<D> {
  const finish = (draft: Draft, schemaVersion: number): { schemaVersion: number; dataBytes: Buffer } => {
    // A newer release has written data of a newer version: this release keeps the fields that it does not know.
    const isNewer = schemaVersion > config.schemaVersion
    // The draft is checked before the schema runs: a transform could hide a Date from the check.
    const text = toJsonText(draft, '') ?? '{}'
    // The schema gets the parsed text: fields that the caller's objects inherit are no data, but a schema would read them.
    const checked =
      isNewer || !config.schema ? text : toJsonText(validated(config.schema, parseJson(text) as Draft), '')
    const dataBytes = Buffer.from(checked ?? '{}', 'utf8')
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

  return {
    initial: (given) => finish({ ...given }, config.schemaVersion),
    copy: (record) => copy(record) as D,

    read(record) {
      // Only JSON is shared: a schema may convert an older record to values that are not JSON.
      return isCurrent(record)
        ? sharedData(record, () => readOnlyJson<D>(record.dataBytes.toString('utf8'), 'session.data'))
        : (readOnly(copy(record), 'session.data') as DeepReadonly<D>)
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
  // The schema's own message may quote the value, so the error names only the path.
  throw new SessionError('COATCHECK_SESSION_SCHEMA', {
    message: `session.schema refuses the value at "${safeText(path)}" (${result.issues.length} problems in all). Nothing was changed.`,
    details: { path: safeText(path), problems: result.issues.length },
  })
}
