/** Records of nextjs-auth0 whose times are no times. */
import { expect, it } from 'vitest'
import { storedAuth0Session } from './auth0-session.ts'

const user = { sub: 'auth0|ada' }

it('a session whose end is no time is none', () => {
  const internal = { sid: 'sid', createdAt: 1_700_000_000 }
  for (const exp of ['2030-01-01', null, Number.NaN, {}]) expect(storedAuth0Session({ user, internal, exp })).toBeNull()
  for (const exp of ['2030-01-01', null, Number.NaN])
    expect(storedAuth0Session({ header: { iat: 1, exp }, data: { user } })).toBeNull()
  expect(storedAuth0Session({ user, internal, exp: 1_700_000_100 })).toMatchObject({ endsAtMs: 1_700_000_100_000 })
  expect(storedAuth0Session({ user, internal })).toMatchObject({ endsAtMs: null })
})
