import { expect, test } from 'vitest'
import type { ProviderTokenStatus } from '../../../token/types.ts'
import { lastRefreshText } from './show.ts'

const status = (lastRefresh: ProviderTokenStatus['lastRefresh']): ProviderTokenStatus => ({
  provider: 'entra',
  hasRefreshToken: false,
  refreshCount: null,
  grantExpiresAt: null,
  nextRefreshAt: null,
  keyId: null,
  resources: [],
  lastRefresh,
})

test('the last refresh names the outcome, the error of the provider and the AADSTS number, as far as they are known', () => {
  const at = Date.UTC(2026, 0, 1)
  const nowMs = at + 18 * 60_000
  const failed = { at, outcome: 'invalid-grant', resource: '', error: 'invalid_grant', providerCode: 'AADSTS50173' }
  expect(lastRefreshText(status(null), nowMs)).toBe('none yet')
  expect(lastRefreshText(status(failed), nowMs)).toBe('18 min ago, invalid-grant (invalid_grant, AADSTS50173)')
  expect(lastRefreshText(status({ ...failed, providerCode: null }), nowMs)).toBe(
    '18 min ago, invalid-grant (invalid_grant)',
  )
  expect(lastRefreshText(status({ ...failed, outcome: 'transient', error: null, providerCode: null }), nowMs)).toBe(
    '18 min ago, transient',
  )
})
