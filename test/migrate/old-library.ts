/** What a rolling deployment knows of an old library. */
import type { Keyring } from '../../src/keyring/keyring.ts'
import type { Program } from './migration-fleet.ts'

/** An old library, and how far it goes along with ours. */
export interface OldLibrary {
  /** The application. `env` has the server, the keys and the life of a session. */
  program(env: Readonly<Record<string, string>>): Program
  /** Whether a key holds an old session. @param isSignedIn whether a user of this name is signed in */
  isOldKey(key: string, isSignedIn: (user: string) => boolean): boolean
  /** The key of ours that stands for an old key. Absent: no key of ours does before `move`. */
  copyOf?(oldKey: string, keyring: Keyring): string
  /** The end that an old value names, epoch milliseconds. Absent: its key has an expiry. */
  endIn?(text: string): number
  /** Whether a request that changes nothing moves the end of the session. */
  readonly isRolling?: boolean
  /** Whether a sign-in ends the session that the browser had. False: the user signs out first. */
  readonly endsPrevious?: boolean
  /** Whether the data of a session outlives another sign-in in the same browser. */
  readonly keepsData?: boolean
  /** Whether parallel writes to one session are all kept by our store. False: the library writes the session back whole. */
  readonly mergesWrites?: boolean
  /**
   * With a bridge the sessions become ours, so old processes see no changes of new ones. `GET /end` says when the session ends, and the bridge
   * extends nothing beyond what the old library would. Absent: both share their sessions.
   */
  readonly bridge?: {
    /** Whether old processes hear of a sign-out at a new one. */
    readonly isStored: boolean
    /** Whether each request at an old process moves the end of the session, and the bridge goes on from there. */
    readonly isTouched: boolean
  }
}
