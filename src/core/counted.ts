/** Numbers in sentences for people. Programs get the numbers themselves. */

/** `1 session`, `2 sessions`, `1,000 entries`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`
}

/** Rounded to a whole number, with thousands separators: `12,345`. */
export function whole(count: number): string {
  return Math.round(count).toLocaleString('en')
}
