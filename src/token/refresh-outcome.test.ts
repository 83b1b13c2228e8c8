import { describe, expect, it } from 'vitest'
import {
  classifyRefresh,
  concernsProvider,
  type RefreshFacts,
  RefreshFailure,
  type RefreshOutcome,
  toRefreshFailure,
} from './refresh-outcome.ts'

const table: readonly (readonly [RefreshFacts, RefreshOutcome])[] = [
  [{}, 'transient'],
  [{ status: 200 }, 'transient'],
  [{ status: 400 }, 'transient'],
  [{ status: 408 }, 'transient'],
  [{ status: 429, error: 'invalid_grant' }, 'transient'],
  [{ status: 500, error: 'server_error' }, 'transient'],
  [{ status: 503 }, 'transient'],
  [{ status: 400, error: 'temporarily_unavailable' }, 'transient'],
  [{ status: 400, error: 'invalid_request', errorCodes: [90033] }, 'transient'],
  [{ status: 400, error: 'invalid_grant' }, 'invalid-grant'],
  [{ status: 400, error: 'invalid_grant', suberror: 'bad_token' }, 'invalid-grant'],
  [{ status: 400, error: 'invalid_grant', errorCodes: [50173] }, 'invalid-grant'],
  [{ status: 400, error: 'interaction_required', errorCodes: [700082] }, 'invalid-grant'],
  [{ status: 400, error: 'invalid_grant', errorCodes: [50076] }, 'interaction-required'],
  [{ status: 400, error: 'invalid_grant', suberror: 'consent_required' }, 'interaction-required'],
  [{ status: 400, error: 'invalid_grant', claims: '{}' }, 'interaction-required'],
  [{ status: 400, error: 'login_required' }, 'interaction-required'],
  [{ status: 400, error: 'consent_required' }, 'interaction-required'],
  [{ status: 401, error: 'invalid_client' }, 'operator-error'],
  [{ status: 401, error: 'invalid_client', errorCodes: [7000222] }, 'operator-error'],
  [{ status: 400, error: 'unauthorized_client' }, 'operator-error'],
  [{ status: 400, error: 'something_new' }, 'operator-error'],
  [{ status: 400, error: 'invalid_scope' }, 'caller-error'],
  [{ status: 400, error: 'invalid_target' }, 'caller-error'],
]

describe('the outcome of a failed refresh', () => {
  it.each(table)('%j is %s', (facts, outcome) => {
    expect(classifyRefresh(facts)).toBe(outcome)
  })

  it('takes what anybody threw, and keeps it as the cause', () => {
    const cause = new TypeError('fetch failed')
    const failure = toRefreshFailure(cause)
    expect(failure).toMatchObject({ outcome: 'transient', cause })
    expect(toRefreshFailure(failure)).toBe(failure)
    expect(new RefreshFailure({ error: 'invalid_grant' }).message).not.toContain('invalid_grant')
  })
})

describe('what holds up others', () => {
  it.each([
    [{}, true],
    [{ status: 503 }, true],
    [{ status: 401, error: 'invalid_client' }, true],
    [{ status: 400, error: 'invalid_request', errorCodes: [7000222] }, true],
    [{ status: 400, error: 'something_odd' }, false],
    [{ status: 400, error: 'invalid_request' }, false],
    [{ status: 400, error: 'invalid_grant' }, false],
    [{ status: 400, error: 'invalid_scope' }, false],
    [{ status: 400, error: 'consent_required' }, false],
  ] as readonly (readonly [RefreshFacts, boolean])[])('%j: %s', (facts, expected) => {
    expect(concernsProvider(new RefreshFailure(facts))).toBe(expected)
  })
})
