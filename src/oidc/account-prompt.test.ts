import { expect, it } from 'vitest'
import { accountPromptOf } from './account-prompt.ts'

const oidc = { preset: 'oidc', issuer: 'https://login.example' } as const

it.each([
  [{ preset: 'entra', issuer: 'https://login.microsoftonline.com/x/v2.0' } as const, null, 'select_account'],
  [{ preset: 'oidc', issuer: 'https://accounts.google.com' } as const, null, 'select_account'],
  [oidc, null, 'login'],
  [oidc, ['none', 'login', 'consent'], 'login'],
  [oidc, ['login', 'select_account'], 'select_account'],
  [oidc, ['none', 'consent'], null],
  [{ ...oidc, accountPrompt: 'select_account' } as const, ['none', 'login'], 'select_account'],
])('%j with the prompt values %j asks by %s', (provider, values, expected) => {
  expect(accountPromptOf(provider, values)).toBe(expected)
})
