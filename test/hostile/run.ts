/** Runs a case against an application of its own, and returns the result. */
import { expect } from 'vitest'
import { hostileProvider, type HostileProvider, sign, type Victim, victimOf } from '../support/hostile-provider.ts'
import { ACCEPTED, type HostileCase, type LogoutCase } from './case.ts'

const SESSION_COOKIE = 'coatcheck'

/** @returns the result of a sign-in; it also asserts that a refused sign-in leaves no session */
export async function signInResult({ change }: HostileCase): Promise<string> {
  const provider = await hostileProvider()
  const victim = victimOf(provider)
  await change(provider)
  const browser = victim.newBrowser()
  const response = await victim.signIn(browser)
  if (response.status === 303 && (await victim.isSignedIn(browser))) return ACCEPTED
  expect(response.status).toBeGreaterThanOrEqual(400)
  expect([...(browser.cookies.get('http://localhost:3000')?.keys() ?? [])]).not.toContain(SESSION_COOKIE)
  expect(victim.app.seen.map(({ name }) => name)).not.toContain('session.created')
  return toldBy(victim, 'signin.failed') ?? toldBy(victim, 'provider.discovery-failed') ?? 'untold'
}

/** @returns the result of a refresh, after it is certain what it leaves in the store */
export async function refreshResult({ change }: HostileCase): Promise<string> {
  const provider = await hostileProvider()
  const victim = victimOf(provider)
  const browser = victim.newBrowser()
  // Nothing of the access token is left, so the next call refreshes.
  const { answer, idToken } = provider.script
  provider.script.answer = (honest) => ({ ...honest, expires_in: 0 })
  provider.script.idToken = (claims) => sign({ ...claims, auth_time: 1_700_000_000 }, provider.key)
  expect((await victim.signIn(browser)).status).toBe(303)
  Object.assign(provider.script, { answer, idToken })
  await change(provider)
  const token = await victim.refresh().catch(() => null)
  // Whatever happens to tokens: the user is signed in, and the old refresh token was sent once, or twice if no answer came.
  expect(await victim.isSignedIn(browser)).toBe(true)
  expect(refreshesOf(provider)).toEqual(['refresh-1'])
  const stored = await victim.app.tokens.getUserTokens('ada')
  if (token !== null) {
    expect(stored?.accessToken).toBe(token)
    return ACCEPTED
  }
  const told = toldBy(victim, 'token.refresh-failed') ?? 'untold'
  expect(stored?.accessToken ?? null).toBeNull()
  const hasEnded = told.startsWith('subject-mismatch') || told.startsWith('invalid-grant')
  if (hasEnded) expect(stored).toBeNull()
  else expect(stored?.refreshToken).toMatch(/^refresh-[12]$/)
  return told
}

export async function logoutResult({ token }: LogoutCase): Promise<string> {
  const provider = await hostileProvider()
  const victim = victimOf(provider)
  const browser = victim.newBrowser()
  expect((await victim.signIn(browser)).status).toBe(303)
  const response = await victim.logout(await token(provider))
  if (response.status === 200) return ACCEPTED
  expect(response.status).toBe(400)
  expect(await victim.isSignedIn(browser)).toBe(true)
  return ((await response.json()) as { readonly error_description: string }).error_description
}

function refreshesOf({ tokenRequests }: HostileProvider): readonly (string | null)[] {
  return tokenRequests
    .filter((request) => request.get('grant_type') === 'refresh_token')
    .map((request) => request.get('refresh_token'))
}

/** Code or outcome, and the check that failed, else the provider's or the library's word. */
function toldBy({ app }: Victim, name: string): string | null {
  const event = app.seen.find((one) => one.name === name)?.event
  if (event === undefined) return null
  const { code, outcome, check, error, reason } = event as Readonly<Record<string, string | undefined>>
  return [outcome ?? code, check ?? error ?? reason].filter((word) => word !== undefined).join(' ')
}
