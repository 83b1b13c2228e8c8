/** JSON that records which top-level fields were dates, because Auth.js expects these as `Date`. */
export interface StoredDates {
  readonly [field: string]: unknown
  /** Names of the fields that are dates. Auth.js has no field of this name. */
  readonly $dates?: readonly string[]
}

export function toStored(value: object): StoredDates {
  const dates = Object.entries(value).filter((entry): entry is [string, Date] => entry[1] instanceof Date)
  return {
    ...value,
    ...Object.fromEntries(dates.map(([name, date]) => [name, date.toISOString()])),
    $dates: dates.map(([name]) => name),
  }
}

export function fromStored<T extends object = Record<string, unknown>>({ $dates = [], ...fields }: StoredDates): T {
  return { ...fields, ...Object.fromEntries($dates.map((name) => [name, new Date(fields[name] as string)])) } as T
}

/** Auth.js sends only the changed fields. A field that is `undefined` is unchanged. */
export function definedOf(changes: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}
