/** Signing keys of the provider: the newest key signs, and older ones stay published, as at Entra ID after a roll-over. */
import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK } from 'jose'

export interface SigningKeys {
  /** Includes the private key. */
  readonly current: JWK
  /** The current key first: the package signs with the first key that fits. */
  readonly all: readonly JWK[]
  rotate(): Promise<void>
}

export async function createSigningKeys(): Promise<SigningKeys> {
  let current = await createKey()
  let older: readonly JWK[] = []
  return {
    get current() {
      return current
    },
    get all() {
      return [current, ...older]
    },
    async rotate() {
      const next = await createKey()
      older = [current, ...older]
      current = next
    },
  }
}

async function createKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256', kid: randomBytes(8).toString('hex') }
}
