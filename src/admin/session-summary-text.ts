/** Describes the result of `explainSession` in sentences, for the command line and other output. */
import { safeText } from '../core/redact.ts'
import type { SessionSummary, SessionBecause } from './explain-session.ts'

/** Reasons that Coatcheck itself stores. Others come from the application or an operator. */
const REASONS: Readonly<Record<string, string>> = {
  'signed-out': 'The user signed out.',
  'signed-out-by-user': 'The user ended it from another session of theirs ("your devices").',
  revoked: 'The application revoked it through the API and gave no reason.',
  limit: 'The user signed in once more than session.maxPerUser allows, and this session would have expired first.',
  'provider-logout': 'The identity provider ended it (back-channel or front-channel logout).',
  'signed-in': 'It was the anonymous session of a visitor who has signed in: their session goes on under another id.',
  'sign-in-failed': 'Its sign-in failed after the session was stored, so no browser ever got its ticket.',
  undelivered: 'Its ticket could not be sent (the headers had left), so it was removed again.',
}

interface StateText {
  /** The state, as a sentence. */
  readonly what: string
  /** What an operator can do next. */
  readonly next: string
}

const CHECK_EVICTION =
  'Redis evicted keys, or a client deleted them: look at evicted_keys and maxmemory-policy (redis-cli INFO stats, INFO memory).'

const STATE_TEXTS: Readonly<Record<Exclude<SessionBecause, 'reason'>, StateText>> = {
  live: { what: 'It is live.', next: 'To end it: coatcheck sessions revoke <session id>.' },
  deadline: {
    what: 'It expired: it was not used for the idle timeout, or its absolute end came.',
    next: 'Nothing is wrong. If it is too soon for your users, change session.idleTimeout or session.absoluteTimeout.',
  },
  'all-ended': {
    what: 'All sessions of its user were ended at once, this one with them.',
    next: 'The application called revokeByUser, the user chose "sign out everywhere", or the provider ended all of them.',
  },
  'record-missing': {
    what: 'Its record is gone before its time, and Coatcheck has not ended it.',
    next: CHECK_EVICTION,
  },
  'generation-missing': {
    what: "The generation of its user is gone, and without it none of the user's sessions is valid.",
    next: CHECK_EVICTION,
  },
  'index-missing': {
    what: "The list of its user's sessions is gone, which no ending does, and its record is not there either.",
    next: CHECK_EVICTION,
  },
  'key-unknown': {
    what: 'Its record is there, sealed with a key that is not in the COATCHECK_KEYS given here.',
    next: 'Run this with the keys of the application. If these are its keys, put the retired one back behind the first.',
  },
  damaged: {
    what: 'Its record is there and does not open: it was changed, or sealed under another prefix.',
    next: 'Compare REDIS_PREFIX with that of the application. If it is the same, another client has changed the record.',
  },
  'no-trace': {
    what: 'Its user has, or lately had, other sessions; of this one nothing is left.',
    next: 'It was ended longer ago than reasons are kept, its absolute end has passed, or it never existed.',
  },
  nothing: {
    what: 'Nothing is known of it, nor of its user.',
    next: 'It never existed here, it was an anonymous session that has expired (these leave no trace), all of the user ended long ago, or Redis lost everything of them. Check REDIS_URL and REDIS_PREFIX too.',
  },
}

/** The state of a session in sentences, for people. */
export interface SessionSummaryText extends StateText {
  /** How long the store keeps reasons, as a sentence. */
  readonly kept: string
}

/** Describes the state of a session in sentences. Control characters in the reason are escaped. Sends no command. */
export function summaryTextOf({ because, reason, reasonsKeptForMs, state }: SessionSummary): SessionSummaryText {
  const kept = `Reasons are kept for ${minutes(reasonsKeptForMs)} after the end; those of the limit until the absolute end of the session.`
  if (because !== 'reason') return { ...STATE_TEXTS[because], kept }
  const word = reason ?? state
  const known = Object.hasOwn(REASONS, word) ? REASONS[word] : undefined
  return {
    what: known ?? `It was ended with the reason "${safeText(word, 100)}".`,
    next: 'An ended session is never brought back: the user signs in again.',
    kept,
  }
}

function minutes(ms: number): string {
  const whole = Math.round(ms / 60_000)
  return whole === 60 ? 'an hour' : `${whole} min`
}
