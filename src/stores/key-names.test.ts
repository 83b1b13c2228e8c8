import { describe, expect, it } from 'vitest'
import { KEY_FAMILIES, keyNameReader, prefixOfSession } from './key-names.ts'
import { redisKeys } from './keys.ts'

const userKey = 'a-Z0_'.padEnd(16, 'u')
const id = 'i-_'.padEnd(22, 'd')
const hash = 'h'.repeat(22)

describe.each(['', 'app:', 'a.b*[x]:'])('with the prefix %j', (prefix) => {
  const keys = redisKeys(prefix)
  const read = keyNameReader(prefix)

  it('reads every name that is built, and says what it names', () => {
    const built = [
      [keys.session(userKey, id), { family: 'session', userKey, id }],
      [keys.generation(userKey), { family: 'generation', userKey, id: '' }],
      [keys.sessions(userKey), { family: 'sessions', userKey }],
      [keys.tokens(userKey), { family: 'tokens', userKey }],
      [keys.ended(userKey, id), { family: 'ended', userKey, id }],
      [keys.revocations(userKey), { family: 'revocations', userKey }],
      [keys.signIn(hash), { family: 'signIn', hash }],
      [keys.providerSession(hash), { family: 'providerSession', hash }],
      [keys.appTokens(hash), { family: 'appTokens', hash }],
      [keys.logoutToken(hash), { family: 'logoutToken', hash }],
      [keys.providerGate(hash), { family: 'providerGate', hash }],
      [keys.revocationIndex(), { family: 'revocationIndex', hash: '' }],
      [keys.canary('session', 12), { family: 'canary', kind: 'session' }],
      [keys.canaries(), { family: 'canaries' }],
      [keys.events('3'), { family: 'events' }],
      [keys.migrationReads(), { family: 'migrationReads' }],
      [keys.document('express-session', hash), { family: 'document', kind: 'express-session', hash }],
      [keys.documentSet('authjs-user', hash), { family: 'documentSet', kind: 'authjs-user', hash }],
    ] as const
    for (const [key, expected] of built) expect(read(key)).toMatchObject({ ...expected, key })
    expect(new Set(built.map(([, { family }]) => family))).toEqual(new Set(KEY_FAMILIES))
  })

  it('returns the key prefix of a session, and of no other name', () => {
    expect(prefixOfSession(keys.session(userKey, id))).toBe(prefix)
    for (const other of [keys.generation(userKey), keys.session(userKey, ''), `${keys.session(userKey, id)}x`]) {
      expect(prefixOfSession(other)).toBeNull()
    }
  })

  it.each([
    ['a key of another application', `${prefix}cache:42`],
    ['a user key that is none', keys.generation('short')],
    ['something behind the name', `${keys.generation(userKey)}x`],
    ['something in front of it', `x${keys.generation(userKey)}`],
    ['a session without an id', keys.session(userKey, '')],
  ])('takes %s for foreign', (_what, key) => {
    expect(read(key)).toBeNull()
  })
})
