/**
 * Reads the fields that Entra ID adds to an OAuth error: its number, its suberror, and the ids that find the request in its sign-in
 * log. They are in the JSON answer, in headers, or only inside the description. The description itself is dropped, because it
 * holds names and e-mail addresses.
 */
import type { ProviderReason } from '../core/provider-reason.ts'

export type EntraFacts = Pick<ProviderReason, 'suberror' | 'traceId' | 'correlationId' | 'providerTime'> & {
  readonly errorCodes?: readonly number[]
}

const NUMBER = /\bAADSTS(\d{4,8})\b/
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const TIME = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,7})?Z$/
/** Longer texts contain no further facts. */
const READ_CHARACTERS = 4096

/** @param source of one field; `undefined` or any other type when it is absent */
type Field = (name: string) => unknown

/** @param source reads the fields of a JSON answer or the parameters of an authorization response */
export function entraFactsIn(source: Field, headers?: Headers): EntraFacts {
  const text = source('error_description')
  const description = typeof text === 'string' ? text.slice(0, READ_CHARACTERS) : ''
  const errorCodes = numbersIn(source('error_codes'), description)
  const suberror = wordIn(source('suberror')) ?? wordIn(source('error_subcode'))
  const traceId = idIn(source('trace_id'), after('Trace ID', description), headers?.get('x-ms-request-id'))
  const correlationId = idIn(
    source('correlation_id'),
    after('Correlation ID', description),
    headers?.get('client-request-id'),
  )
  const providerTime = [source('timestamp'), after('Timestamp', description)].find(
    (value): value is string => typeof value === 'string' && TIME.test(value),
  )
  return {
    ...(suberror !== undefined && { suberror }),
    ...(errorCodes.length > 0 && { errorCodes }),
    ...(traceId !== undefined && { traceId }),
    ...(correlationId !== undefined && { correlationId }),
    ...(providerTime !== undefined && { providerTime }),
  }
}

/**
 * Returns a description that holds only these facts, for a page that forwards an authorization response.
 * `null` when the description holds none of them.
 */
export function bareDescription(description: string): string | null {
  const { errorCodes, traceId, correlationId, providerTime } = entraFactsIn((name) =>
    name === 'error_description' ? description : undefined,
  )
  const parts = [
    errorCodes?.[0] !== undefined && `AADSTS${errorCodes[0]}:`,
    traceId !== undefined && `Trace ID: ${traceId}`,
    correlationId !== undefined && `Correlation ID: ${correlationId}`,
    providerTime !== undefined && `Timestamp: ${providerTime}`,
  ].filter((part) => part !== false)
  return parts.length > 0 ? parts.join(' ') : null
}

/** Returns an identifier such as `invalid_grant`. Any other text, above all an e-mail address, is no error code. */
export function wordIn(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9_.:/-]{1,60}$/.test(value) ? value : undefined
}

function numbersIn(codes: unknown, description: string): readonly number[] {
  const numbers = Array.isArray(codes) ? codes.filter((code) => typeof code === 'number') : []
  if (numbers.length > 0) return numbers
  const [, number] = NUMBER.exec(description) ?? []
  return number === undefined ? [] : [Number(number)]
}

function after(label: string, description: string): string | undefined {
  const at = description.indexOf(`${label}: `)
  if (at < 0) return undefined
  const rest = description.slice(at + label.length + 2).trimStart()
  return label === 'Timestamp' ? /^[\dTZ.: -]{1,40}/.exec(rest)?.[0].trim() : rest.slice(0, 36)
}

function idIn(...values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && GUID.test(value))
}
