/**
 * The profile of docs/sign-in.md that keeps an unverified e-mail address, against a provider that does not say whether it has
 * verified the address. The provider takes the place of the registration in Entra ID.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { Browser } from '../support/test-app.ts'
import { blocksOf, root } from './blocks.ts'

type Auth = Coatcheck<Record<string, unknown>>

const BASE_URL = 'http://localhost:3000'
const folder = join(root, 'test-results/sign-in-page')

let provider: DevProvider
const opened: Auth[] = []

beforeAll(async () => {
  provider = await startDevProvider({ redirectUris: [`${BASE_URL}/auth/callback`] })
  mkdirSync(folder, { recursive: true })
})
afterAll(async () => {
  for (const auth of opened) await auth.close()
  await provider.close()
})

it('keeps the address with the profile of the page, and leaves it out by default', async () => {
  const code = blocksOf('docs/sign-in.md').find(({ code }) => code.includes('profile: ({ name, email })'))?.code ?? ''
  const byDefault = code.replace(/^ *signIn: .*\n/m, '')
  expect(byDefault).not.toBe(code)
  expect(await userOf(await load('page', code))).toEqual({ name: 'Ada Lovelace', email: 'ada@example.test' })
  const user = await userOf(await load('default', byDefault))
  expect(user).toMatchObject({ name: 'Ada Lovelace' })
  expect(user).not.toHaveProperty('email')
})

/** Loads the program with the registration and the base URL of this test. */
async function load(name: string, code: string): Promise<Auth> {
  const { issuer, clientId, clientSecret } = provider
  const keys = randomBytes(32).toString('base64')
  const registration = JSON.stringify({ issuer, clientId, clientSecret })
  const place = JSON.stringify({ baseUrl: BASE_URL, keys }).slice(1, -1)
  const program = code.replace('entra()', `entra(${registration})`).replace('coatcheck({', `coatcheck({ ${place},`)
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, program)
  const { auth } = (await import(file)) as { auth: Auth }
  opened.push(auth)
  return auth
}

/** @returns the profile of Ada, after a sign-in */
async function userOf(auth: Auth): Promise<unknown> {
  const browser = new Browser({ config: { baseUrl: new URL(BASE_URL) }, routes: auth.handler })
  await browser.signIn()
  const { user } = (await (await browser.json('/auth/session')).json()) as { user: Record<string, unknown> }
  const { id: _id, ...profile } = user
  return profile
}
