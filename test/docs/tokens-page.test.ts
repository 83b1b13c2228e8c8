/**
 * The blocks of docs/tokens.md that need a provider: a token of the application, one on behalf of a caller, and a claims
 * challenge. `blocks.test.ts` compiles and executes them too; here their results are compared with what the page promises.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, expect, it } from 'vitest'
import { type Block, blocksOf, root } from './blocks.ts'
import { answered, api, auth, incomingToken, provider, user } from './contexts/tokens.ts'

const folder = join(root, 'test-results/tokens-page')

afterAll(async () => {
  await auth.close()
  await api.close()
  await provider.close()
})

it('gets a token of the application, and one for another API on behalf of the caller', async () => {
  const results = await execute(blockWith('getOnBehalfOfToken('), ['accessToken', 'forReports'])
  const { accessToken, forReports } = results as { accessToken: string; forReports: { accessToken: string } }
  const [own, caller, onBehalf] = [accessToken, incomingToken, forReports.accessToken].map((token) => decodeJwt(token))
  expect(own).toMatchObject({ aud: 'https://graph.microsoft.com', sub: provider.clientId })
  expect(onBehalf).toMatchObject({ aud: 'api://reports', sub: caller?.sub, scp: 'Reports.Read' })
  expect(provider.counters.count('token', 'client_credentials')).toBe(1)
  expect(provider.counters.count('token', 'urn:ietf:params:oauth:grant-type:jwt-bearer')).toBe(1)
})

it('answers a claims challenge with one refresh and one more request', async () => {
  const refreshes = provider.counters.count('token', 'refresh_token')
  const { response } = (await execute(blockWith('fetchWithToken('), ['response'])) as { response: Response }
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ owner: 'Ada Lovelace' })
  expect(answered).toEqual([401, 200])
  expect(provider.counters.count('token', 'refresh_token')).toBe(refreshes + 1)
})

function blockWith(call: string): Block {
  const block = blocksOf('docs/tokens.md').find(({ code }) => code.includes(call))
  if (block === undefined) throw new Error(`docs/tokens.md has no block with ${call}`)
  return block
}

/** @returns the constants that the block declares under these names */
async function execute({ code, line }: Block, names: readonly string[]): Promise<unknown> {
  const file = join(folder, `line-${line}.mjs`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    file,
    `export async function run({ auth, incomingToken, user }) {\n${code}return { ${names.join(', ')} }\n}\n`,
  )
  const { run } = (await import(file)) as { run(scope: object): Promise<unknown> }
  return run({ auth, incomingToken, user })
}
