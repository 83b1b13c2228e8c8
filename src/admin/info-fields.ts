/** Parses the text that `INFO` returns. */

/** Lines `name:value` of one or more replies, in their order. Headings (`# Memory`) are left out. */
export function infoFields(...texts: readonly string[]): ReadonlyMap<string, string> {
  const lines = texts.flatMap((text) => text.split('\r\n'))
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':')
      return line.startsWith('#') || colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const]
    }),
  )
}
