/** The form of one entry of the error catalogue. Texts contain no value of a caller. */
export interface CatalogueEntry {
  readonly family: 'config' | 'redis' | 'session' | 'token' | 'keyring' | 'oidc' | 'misuse'
  /** The same call may succeed later without any change by the caller. */
  readonly retryable: boolean
  /** HTTP status of the response if no handler catches the error. */
  readonly status: number
  readonly why: string
  readonly fix: string
  /** Its `fix` only refers to the specific message, so it is not printed after one. */
  readonly isGeneral?: true
}
