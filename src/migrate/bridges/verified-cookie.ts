/** The type of an old cookie that a `from-*.ts` file has verified. `bridge.ts` passes it to the adoption. */
import type { OldSessionRead } from './old-sessions.ts'

/** An old cookie whose signature or seal was verified. */
export interface VerifiedCookie {
  /** Identifies the old session for its whole life. No visitor can produce another spelling of it. */
  readonly identity: string
  /** When the cookie ends by its own data, epoch milliseconds. `null`: it names no end. */
  readonly endsAtMs: number | null
  /** Reads the old session, from the server or from the cookie. */
  load(): Promise<OldSessionRead>
  /** Ends the old session on its server. Does nothing for a session that exists only in the cookie. */
  end(): Promise<void>
}
