/**
 * The only module that maps errors of the client library, the operating system and the server to Coatcheck codes. It identifies errors by
 * `code` and by the first words of their message, never by class, because an application may bring a second copy of the library. The message
 * of the resulting error contains no command argument.
 */
import { RedisError } from '../core/errors.ts'
import type { RedisErrorCode } from '../core/error-catalogue.ts'
import { safeText } from '../core/redact.ts'

/** Stored in place of an error that is reported many times. Each caller gets its own error object with its own stack. */
export interface Diagnosis {
  readonly code: RedisErrorCode
  readonly message: string
  readonly cause?: Error
  /** A vague problem (the socket closed, an attempt took too long) does not replace a specific one of the same outage. */
  readonly isVague: boolean
}

interface Rule {
  readonly match: RegExp
  readonly code: RedisErrorCode
  readonly says?: string
  readonly isVague?: true
}

/** Error replies of the server, by their first words. First match wins. */
const REPLIES: readonly Rule[] = [
  { match: /^NOAUTH\b/, code: 'COATCHECK_REDIS_NOAUTH' },
  {
    match: /^DENIED\b/,
    code: 'COATCHECK_REDIS_NOAUTH',
    says: 'the server is in protected mode and has no password set',
  },
  { match: /^WRONGPASS\b|^ERR (?:invalid password|AUTH |Client sent AUTH)/i, code: 'COATCHECK_REDIS_AUTH' },
  { match: /^NOPERM\b/, code: 'COATCHECK_REDIS_NOPERM' },
  { match: /^OOM\b/, code: 'COATCHECK_REDIS_OOM' },
  { match: /^READONLY\b/, code: 'COATCHECK_REDIS_READONLY' },
  { match: /^MASTERDOWN\b/, code: 'COATCHECK_REDIS_READONLY', says: 'the server is a replica that lost its primary' },
  { match: /^LOADING\b/, code: 'COATCHECK_REDIS_LOADING' },
  { match: /^MISCONF\b/, code: 'COATCHECK_REDIS_MISCONF' },
  { match: /^NOREPLICAS\b/, code: 'COATCHECK_REDIS_NOREPLICAS' },
  { match: /^BUSY\b/, code: 'COATCHECK_REDIS_BUSY' },
  { match: /^(?:CLUSTERDOWN|TRYAGAIN)\b/, code: 'COATCHECK_REDIS_CLUSTERDOWN' },
  { match: /^CROSSSLOT\b/, code: 'COATCHECK_REDIS_CROSSSLOT' },
  { match: /^(?:MOVED|ASK) /, code: 'COATCHECK_REDIS_CROSSSLOT', says: 'the server is one node of a cluster' },
  { match: /^ERR (?:DB index|invalid DB index|SELECT is not allowed)/i, code: 'COATCHECK_REDIS_DATABASE' },
  {
    match: /^ERR max number of clients/i,
    code: 'COATCHECK_REDIS_UNREACHABLE',
    says: 'the server has reached maxclients',
  },
  { match: /^NOPROTO\b|^ERR (?:unknown (?:sub)?command|Protocol error)/i, code: 'COATCHECK_REDIS_PROTOCOL' },
]

/** Error texts of the client library. */
const CLIENT_TEXTS: readonly Rule[] = [
  {
    match: /^Unknown RESP type|^Invalid RESP|Unexpected reply/i,
    code: 'COATCHECK_REDIS_PROTOCOL',
    says: 'its answers do not follow the Redis protocol',
  },
  { match: /^The queue is full/, code: 'COATCHECK_REDIS_OVERLOADED', says: 'the queue of the client is full' },
  {
    match: /^Connection timeout/,
    code: 'COATCHECK_REDIS_UNREACHABLE',
    says: 'no connection within the time of one attempt',
    isVague: true,
  },
  {
    match: /^(?:Socket closed|Disconnects client|The client is|Socket already)/,
    code: 'COATCHECK_REDIS_UNREACHABLE',
    says: 'the connection was closed',
    isVague: true,
  },
]

/** Descriptions of system errors. A code without an entry appears in the message unchanged. */
const NETWORK_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  ECONNABORTED: 'the connection was aborted',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'no answer to the connection attempt',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'no name server answers for the host name',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOENT: 'the socket file does not exist',
  EACCES: 'no permission to use the socket file',
}

/** Kind of problem: no connection (`reach`), a server that cannot be used (`use`), or an error reply (`answer`). */
type Finding = 'reach' | 'use' | 'answer'
const SENTENCES: Readonly<Record<Finding, (endpoint: string, says: string) => string>> = {
  reach: (endpoint, says) => `Cannot reach Redis at ${endpoint}: ${says}.`,
  use: (endpoint, says) => `Cannot use Redis at ${endpoint}: ${says}.`,
  answer: (endpoint, says) => `Redis at ${endpoint} answered: ${says}.`,
}
const UNREACHED: ReadonlySet<RedisErrorCode> = new Set(['COATCHECK_REDIS_UNREACHABLE', 'COATCHECK_REDIS_TLS'])

const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH$)|SELF_SIGNED/
const NETWORK_CODE = /^(?:ECONN|ENOTFOUND|EAI_|ENOENT|EACCES|EPIPE|ETIMEDOUT|EHOST|ENET|EADDR|ENOTSOCK|ENOTCONN)/

const VAGUE_CODE = /^(?:ECONNRESET|EPIPE|ECONNABORTED)$/

/** @param endpoint `host:port` or a socket path, for the message */
export function diagnose(error: unknown, endpoint: string): Diagnosis {
  const code = codeOf(error)
  const text = textOf(error)
  const cause = safeCause(text, code)
  const of = (diagnosed: RedisErrorCode, says: string, isVague = false): Diagnosis => ({
    ...diagnosis(diagnosed, endpoint, says),
    cause,
    isVague,
  })
  if (code !== null && TLS_CODE.test(code)) return of('COATCHECK_REDIS_TLS', `the TLS handshake failed (${code})`)
  if (code !== null && NETWORK_CODE.test(code))
    return of('COATCHECK_REDIS_UNREACHABLE', NETWORK_WORDS[code] ?? code, VAGUE_CODE.test(code))
  const rule = [...REPLIES, ...CLIENT_TEXTS].find(({ match }) => match.test(text))
  if (rule?.says !== undefined) return of(rule.code, rule.says, rule.isVague)
  // The timeout error of major 6 has no text. With Coatcheck's options it can only come from a wrapper of a user-supplied client.
  if (text === '') return of('COATCHECK_REDIS_UNREACHABLE', 'no answer')
  const answer = SENTENCES.answer(safeText(endpoint), cause.message.replace(/\.$/, ''))
  return { code: rule?.code ?? 'COATCHECK_REDIS_ERROR', message: answer, cause, isVague: false }
}

/** @param says completes the sentence "Cannot reach Redis at …: " or, if the server was reached, "Cannot use Redis at …: " */
export function diagnosis(code: RedisErrorCode, endpoint: string, says: string): Diagnosis {
  const sentence = SENTENCES[UNREACHED.has(code) ? 'reach' : 'use']
  return { code, message: sentence(safeText(endpoint), says), isVague: false }
}

export function redisError({ code, message, cause }: Diagnosis): RedisError {
  return new RedisError(code, { message, ...(cause && { cause }) })
}

/** True if the server replied that it did not run the command but may do so soon. */
export function isTransientReply(error: unknown): boolean {
  return /^(?:LOADING|TRYAGAIN|CLUSTERDOWN|MASTERDOWN)\b/.test(textOf(error))
}

export function isReadOnlyReply(error: unknown): boolean {
  return textOf(error).startsWith('READONLY')
}

/** Parses a cluster redirect to the node of a key: permanent (`MOVED`) or for this one command (`ASK`). */
export function redirectionOf(error: unknown): Redirection | null {
  const match = /^(MOVED|ASK) (\d+) (\S*):(\d+)$/.exec(textOf(error))
  if (!match) return null
  const [, word, slot, host = '', port] = match
  return {
    isAsk: word === 'ASK',
    slot: Number(slot),
    host: host === '' || host === '?' ? null : host,
    port: Number(port),
  }
}

export interface Redirection {
  readonly isAsk: boolean
  readonly slot: number
  /** `null`: the host of the node that sent the redirect. */
  readonly host: string | null
  readonly port: number
}

export function isUnknownScript(error: unknown): boolean {
  return textOf(error).startsWith('NOSCRIPT')
}

/** True for an error reply: the server is alive, even if it refuses the command. Error replies begin with a word in capitals. */
export function isServerReply(error: unknown): boolean {
  return codeOf(error) === null && /^[A-Z]{3,}\b/.test(textOf(error))
}

/** True if a certificate or handshake was received, so the peer speaks TLS. */
export function isTlsAnswer(error: unknown): boolean {
  const code = codeOf(error)
  return code !== null && TLS_CODE.test(code) && code !== 'EPROTO' && !code.includes('WRONG_VERSION')
}

/** A host with several addresses fails with an `AggregateError`: it has an empty message and one error per address. */
function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null
  const { code, errors } = error as { code?: unknown; errors?: unknown }
  if (typeof code === 'string') return code
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : null
}

/** Sentinel clients emit plain strings as errors. */
function textOf(error: unknown): string {
  if (typeof error === 'string') return error
  if (typeof error !== 'object' || error === null) return ''
  const { message } = error as { message?: unknown }
  return typeof message === 'string' ? message : ''
}

/** Removes command arguments: `ERR unknown command` repeats them, and scripts may quote them. */
function safeCause(text: string, code: string | null): Error {
  const bare = text
    .replace(/,? with args beginning with:.*$/s, '')
    .replace(/'[^']{33,}'|"[^"]{33,}"/g, "'…'")
    .trim()
  const cause = new Error(safeText(bare || code || 'no text'))
  // The stack of this error would only show this module.
  cause.stack = `Error: ${cause.message}`
  return code === null ? cause : Object.assign(cause, { code })
}
