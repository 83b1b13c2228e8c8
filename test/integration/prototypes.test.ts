/** Names that lead to a prototype never come out of a session, whether a visitor, a provider or the application has put them there. */
import { afterAll, describe, expect, it } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import type { Json } from '../../src/core/json.ts'

const auth = coatcheck({ baseUrl: 'http://localhost:3000', store: memoryStore({ name: 'prototypes' }) })
afterAll(() => auth.close())

type Profile = { readonly [claim: string]: Json | undefined }

describe('a session', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'has no field %s until one is stored',
    async (name) => {
      const { session } = await auth.sessions.create({ data: { theme: 'dark' } })
      expect(session.get(name)).toBeUndefined()
      expect(session.get('theme')).toBe('dark')
    },
  )

  it.each([
    ['user.__proto__', '{"__proto__":{"isAdmin":true}}'],
    ['user.roles.__proto__', '{"roles":{"__proto__":{"isAdmin":true}}}'],
    ['user.roles', `{"roles":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ])('refuses the claim %s, as it does in its data', async (path, json) => {
    const profile = JSON.parse(json) as Profile
    const signedIn = auth.sessions.signIn(null, { userId: 'ada', profile })
    await expect(signedIn).rejects.toMatchObject({
      code: 'COATCHECK_SESSION_VALUE',
      message: expect.stringContaining(`"${path}`) as string,
    })
  })
})
