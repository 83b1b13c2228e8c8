import { describe, expect, it } from 'vitest'
import { explanations } from './catalogue.ts'
import type { Explanation } from './explanation.ts'
import { findExplanations, LogReader } from './find-explanation.ts'

const namesOf = (found: readonly Explanation[]): string[] => found.map(({ name }) => name)

describe('the text that a user typed', () => {
  it.each(explanations.map(({ name }) => [name]))(
    '%s is found by its name, in any case, and nothing else is',
    (name) => {
      for (const asked of [name, name.toLowerCase(), ` ${name} `]) {
        expect(namesOf(findExplanations(asked).found)).toEqual([name])
      }
    },
  )

  it.each(explanations.flatMap(({ name, seen }) => seen.map((text) => [text, name] as const)))(
    '%s is %s',
    (text, name) => {
      expect(namesOf(findExplanations(text).found)).toContain(name)
    },
  )

  it.each([
    ['REDIS_OOM', ['COATCHECK_REDIS_OOM']],
    ['700082', ['AADSTS700082']],
    ['redis_oom.', ['COATCHECK_REDIS_OOM']],
    ['(error) WRONGPASS invalid username-password pair', ['WRONGPASS']],
    ["-NOPERM this user has no permissions to run the 'keys' command", ['NOPERM']],
    ['Error: connect ECONNREFUSED ::1:6379', ['ECONNREFUSED']],
    ['AggregateError [ECONNREFUSED]: ', ['ECONNREFUSED']],
    ['error: Cannot reach Redis at 127.0.0.1:6379: connection refused.', ['ECONNREFUSED']],
    ['Cannot reach Redis at redis.internal:6379: the host name does not resolve.', ['ENOTFOUND']],
    ['AggregateError [ETIMEDOUT]', []],
    ['TimeoutError: The operation was aborted due to timeout', []],
    ['ConnectionTimeoutError: Connection timeout', ['ConnectionTimeoutError']],
    ['invalid_grant: AADSTS700082: The refresh token has expired', ['invalid_grant', 'AADSTS700082']],
    ['AADSTS7000820', []],
    ['my users are signed out at random', ['Users are logged out at random']],
    ['RedisError: It failed. (COATCHECK_REDIS_OOM)', ['COATCHECK_REDIS_OOM']],
    ['COATCHECK_REDIS_OOMS', []],
    ['', []],
  ])('%j: %j', (asked, names) => {
    expect(namesOf(findExplanations(asked).found)).toEqual(names)
  })

  it.each<[line: string, names: readonly string[]]>([
    [
      '{"event":"signin.failed","code":"COATCHECK_OIDC_CLIENT_REJECTED","error":"invalid_client","providerCode":"AADSTS7000215"}',
      ['COATCHECK_OIDC_CLIENT_REJECTED', 'invalid_client', 'AADSTS7000215'],
    ],
    [
      '{"event":"token.refresh-failed","outcome":"interaction-required","error":"invalid_grant","suberror":"basic_action","providerCode":"AADSTS50076"}',
      ['invalid_grant', 'interaction_required', 'AADSTS50076'],
    ],
    [
      '{"event":"provider.discovery-failed","status":404,"url":"https://idp.test/x/.well-known/openid-configuration"}',
      ['HTTP 404 at discovery'],
    ],
    [
      '{"event":"provider.discovery-failed","reason":"ECONNREFUSED","url":"http://127.0.0.1:4000/x/.well-known/openid-configuration"}',
      ['Provider cannot be reached'],
    ],
    ["event=signin.failed check='issuer' expected=https://a got=https://b", ['Check of a token: issuer']],
    [`  check: 'signing-key',`, ['Check of a token: signature']],
    ['{"event":"signin.failed","check":"nonce"}', ['Check of a token: nonce']],
    ['{"event":"request.refused","check":"expired"}', ['Check of a token: time']],
  ])('a line of the log, %s: %j', (line, names) => {
    expect(namesOf(findExplanations(line).found)).toEqual(names)
    const reader = new LogReader()
    reader.write(`connect ECONNREFUSED 127.0.0.1:6379\n${line}\n`)
    const found = reader.end().found.map(({ explanation }) => explanation.name)
    expect(found.sort()).toEqual([...names, 'ECONNREFUSED'].sort())
  })

  it.each(
    [
      ...[50011, 700016, 7000215, 7000222, 90002, 900023, 50105, 65001, 650056, 70011, 700025, 50020, 9002325],
      ...[90014, 54005, 70008, 700082, 50173, 50076, 50079, 53003, 500011, 50034],
    ].map((number) => `AADSTS${number}`),
  )('%s, which users meet on their first day', (name) => {
    expect(namesOf(findExplanations(name).found)).toEqual([name])
  })

  it.each([
    ['COATCHECK_REDIS_OM', 'COATCHECK_REDIS_OOM'],
    ['redis_unreachble', 'COATCHECK_REDIS_UNREACHABLE'],
    ['AADSTS70082', 'AADSTS700082'],
    ['econrefused', 'ECONNREFUSED'],
  ])('%s: the nearest are named, %s among them', (asked, name) => {
    const result = findExplanations(asked)
    expect(result.found).toEqual([])
    expect('nearest' in result && namesOf(result.nearest)).toContain(name)
    expect('nearest' in result && result.nearest.length).toBeLessThanOrEqual(3)
  })

  it('has nothing near to nonsense', () => {
    expect(findExplanations('zzzz qqqq')).toEqual({ found: [], nearest: [] })
  })

  it('knows what the doctor finds', () => {
    for (const asked of ['doctor_eviction_policy', 'EVICTION_POLICY', 'found: DOCTOR_EVICTION_POLICY, 2 more']) {
      const { found = [] } = findExplanations(asked) as { found?: readonly Explanation[] }
      expect(namesOf(found)).toEqual(['DOCTOR_EVICTION_POLICY'])
    }
  })
})

describe('a log', () => {
  const log = [
    '12:00 error connect ECONNREFUSED 127.0.0.1:6379',
    '12:01 OOM command not allowed, OOM command not allowed again',
    '12:02 AADSTS700082 and AADSTS999999',
    '12:03 ECONNREFUSED, COATCHECK_NO_SUCH_CODE',
    'no newline at the end: AADSTS700082',
  ].join('\n')
  const whole = { lines: 5, found: { ECONNREFUSED: 2, AADSTS700082: 2, OOM: 1 } }

  it.each([1, 2, 7, 64, 10_000])('is read in pieces of %i characters', (size) => {
    const reader = new LogReader()
    for (let at = 0; at < log.length; at += size) reader.write(log.slice(at, at + size))
    const { lines, found, unknownCodes } = reader.end()
    expect(lines).toBe(whole.lines)
    expect(Object.fromEntries(found.map((entry) => [entry.explanation.name, entry.lines]))).toEqual(whole.found)
    expect(found.map((entry) => entry.lines)).toEqual([2, 2, 1])
    expect(unknownCodes).toEqual(['AADSTS999999', 'COATCHECK_NO_SUCH_CODE'])
  })

  it('is bounded: lines without an end, names without number', () => {
    const reader = new LogReader()
    for (let i = 0; i < 200; i++) reader.write(`${'x'.repeat(10_000)} OOM command not allowed `)
    for (let i = 0; i < 100; i++) reader.write(`AADSTS${10_000_000 + i}\n`)
    const { found, unknownCodes } = reader.end()
    expect(found.map(({ explanation }) => explanation.name)).toEqual(['OOM'])
    expect(unknownCodes).toHaveLength(20)
  })

  it('is nothing when it is empty', () => {
    expect(new LogReader().end()).toEqual({ lines: 0, found: [], unknownCodes: [] })
  })
})
