/** Times for people: how far away, with the exact time behind it. */
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** @param atMs epoch milliseconds */
export function Time({ atMs }: { readonly atMs: number | null | undefined }) {
  if (atMs === null || atMs === undefined) return <span className="quiet">never</span>
  const away = atMs - Date.now()
  const [unit, size] = units.find(([, milliseconds]) => Math.abs(away) >= milliseconds) ?? (['second', 1000] as const)
  return (
    <time dateTime={new Date(atMs).toISOString()} title={`${exact.format(atMs)} UTC`}>
      {relative.format(Math.round(away / size), unit)}
    </time>
  )
}
