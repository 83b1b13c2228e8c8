import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type RedisKeys, redisKeys } from './keys.ts'

const USER_KEY = '<user key>'
/** The placeholders of every key, as the docs use them. A new key does not compile without its line here. */
const placeholders: { readonly [K in keyof RedisKeys]: Parameters<RedisKeys[K]> } = {
  session: [USER_KEY, '<id>'],
  generation: [USER_KEY],
  sessions: [USER_KEY],
  tokens: [USER_KEY],
  ended: [USER_KEY, '<id>'],
  revocations: [USER_KEY],
  signIn: ['<hash>'],
  providerSession: ['<hash>'],
  appTokens: ['<hash>'],
  logoutToken: ['<hash>'],
  providerGate: ['<hash>'],
  revocationIndex: [],
  document: ['<kind>', '<hash>'],
  documentSet: ['<kind>', '<hash>'],
  canary: ['<record>', 0],
  canaries: [],
  events: ['<n>'],
  migrationReads: [],
}

function namesWith(prefix: string): string[] {
  const keys = redisKeys(prefix) as unknown as Record<string, (...args: readonly (string | number)[]) => string>
  return Object.entries(placeholders).map(([name, args]) => keys[name]!(...args))
}

describe('key names', () => {
  it('put the prefix first, and all keys of one user into one slot', () => {
    for (const [i, name] of namesWith('app:').entries()) {
      expect(name).toBe(`app:${namesWith('')[i]}`)
      const tags = [...name.matchAll(/\{([^}]*)\}/g)].map(([, tag]) => tag)
      expect(tags).toEqual(name.includes(USER_KEY) ? [USER_KEY] : [])
    }
  })

  it('are all different', () => {
    expect(new Set(namesWith('')).size).toBe(Object.keys(redisKeys('')).length)
  })
})

describe('docs/redis-keys.md', () => {
  const page = readFileSync(new URL('../../docs/redis-keys.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name)

  it('has a row for each key, in the order of keys.ts, and no other', () => {
    expect(rows).toEqual(namesWith(''))
  })

  it('names only existing keys in its examples', () => {
    const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block).join('\n')
    const asked = [...commands.matchAll(/["'](user:[^"']+|signin:[^"']+)["']/g)].map(([, name = '']) =>
      name.replaceAll('$uk', USER_KEY).replace('${id#*.}', '<id>'),
    )
    expect(asked.length).toBeGreaterThan(8)
    for (const name of asked) {
      const known = namesWith('').some((key) => key === name || key.startsWith(name.replace(/\*$/, '')))
      expect([name, known]).toEqual([name, true])
    }
  })
})
