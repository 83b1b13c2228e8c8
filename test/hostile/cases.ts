/** All cases, in the order of their steps: sign-in, refresh, logout. */
import type { HostileCase, LogoutCase } from './case.ts'
import { idTokenCases } from './id-token.ts'
import { logoutCases } from './logout.ts'
import { keySetCases, metadataCases } from './metadata.ts'
import { refreshCases } from './refresh.ts'
import { logoutResult, refreshResult, signInResult } from './run.ts'
import { answerCases, responseCases } from './sign-in.ts'

export interface RunnableCase extends Omit<HostileCase, 'change'> {
  readonly run: () => Promise<string>
}

export interface Chapter {
  readonly title: string
  /** The specification of its rules. */
  readonly source: string
  /** What follows a refused answer: the text above the table. */
  readonly outcome: string
  readonly cases: readonly RunnableCase[]
}

const signIns = (cases: readonly HostileCase[]): RunnableCase[] =>
  cases.map((one) => ({ ...one, run: () => signInResult(one) }))
const refreshes = (cases: readonly HostileCase[]): RunnableCase[] =>
  cases.map((one) => ({ ...one, run: () => refreshResult(one) }))
const logouts = (cases: readonly LogoutCase[]): RunnableCase[] =>
  cases.map((one) => ({ ...one, run: () => logoutResult(one) }))

const SIGN_IN = 'A refused sign-in creates no session, and the response sets no session cookie.'

export const chapters: readonly Chapter[] = [
  {
    title: 'Metadata',
    source: 'OpenID Connect Discovery section 3',
    outcome: SIGN_IN,
    cases: signIns(metadataCases),
  },
  { title: 'Key set', source: 'RFC 7517', outcome: SIGN_IN, cases: signIns(keySetCases) },
  {
    title: 'Authorization response',
    source: 'RFC 6749 section 4.1.2, RFC 9207',
    outcome: SIGN_IN,
    cases: signIns(responseCases),
  },
  { title: 'Token answer', source: 'RFC 6749 section 5', outcome: SIGN_IN, cases: signIns(answerCases) },
  {
    title: 'ID token',
    source: 'OpenID Connect Core section 3.1.3.7',
    outcome: SIGN_IN,
    cases: signIns(idTokenCases),
  },
  {
    title: 'Answer to a refresh',
    source: 'RFC 6749 section 6, OpenID Connect Core section 12.2',
    outcome:
      'The session stays in every case. After `subject-mismatch` and `invalid-grant` the tokens are gone. ' +
      'After every other failure no token was handed out, and the store keeps the grant with the newest refresh token.',
    cases: refreshes(refreshCases),
  },
  {
    title: 'Logout token',
    source: 'OpenID Connect Back-Channel Logout 1.0 section 2.6',
    outcome: 'A refused token gets status 400 with the reason, and ends no session.',
    cases: logouts(logoutCases),
  },
]
