/**
 * What a program sees of a value, as JSON text that can be compared: prototypes, order of keys, Buffers, Maps, Errors, `undefined`, `-0`.
 * Runs in the processes of the fixture application, so it is plain JavaScript and loads nothing.
 */

// Redis made these ids from its clock.
const GENERATED_ID = /^1[6-9]\d{11}-\d+$/

export function encode(value, seen = new Set()) {
  if (value === null) return null
  switch (typeof value) {
    case 'string':
      return GENERATED_ID.test(value) ? { generatedId: true } : value
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { number: Object.is(value, -0) ? '-0' : `${value}` }
    case 'undefined':
      return { undefined: true }
    case 'bigint':
      return { bigint: `${value}` }
    case 'symbol':
    case 'function':
      return { [typeof value]: value.description ?? value.name }
    default:
      if (seen.has(value)) return { circular: true }
      return encodeObject(value, new Set(seen).add(value))
  }
}

function encodeObject(value, seen) {
  const each = (one) => encode(one, seen)
  if (Buffer.isBuffer(value)) return { buffer: value.toString('hex') }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  if (value instanceof Date) return { date: value.toISOString() }
  if (value instanceof Map) return { map: [...value].map(each) }
  if (value instanceof Set) return { set: [...value].map(each) }
  if (value instanceof Error) return { error: describe(value) }
  // Own keys beside the elements would be lost in JSON.
  if (Array.isArray(value)) {
    const extra = Object.keys(value).filter((key) => !/^\d+$/.test(key))
    const elements = Array.from(value, each)
    return extra.length === 0 ? elements : { array: elements, extra }
  }
  const prototype = Object.getPrototypeOf(value)
  const kind = prototype === null ? 'null' : prototype === Object.prototype ? 'plain' : value.constructor?.name
  return { object: kind, entries: Object.entries(value).map(([key, one]) => [key, each(one)]) }
}

/**
 * The name and the class of an error reply belong to the client library (`ReplyError`, `SimpleError`, `ErrorReply`). Steps that look at
 * them have values of their own; here they are one kind.
 */
function describe(error) {
  const isReply = [error.name, error.constructor.name].some((name) =>
    /^(?:ReplyError|SimpleError|ErrorReply|BlobError)$/.test(name),
  )
  return {
    kind: isReply ? 'reply' : error.name,
    message: error.message,
    ...(error.code !== undefined && { code: error.code }),
  }
}
