import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { optionName, type Setting, settings } from './settings.ts'

/** Returns the text of a Markdown table cell, without the escapes of the formatter. */
const plain = (text: string): string => text.replaceAll(/[\\`]/g, '').trim()

const rowOf = (setting: Setting): string[] =>
  [
    setting.option === null ? '–' : optionName(setting),
    setting.env.join(', '),
    setting.kind.wants + (setting.secret ? ' (secret)' : ''),
    setting.default,
  ].map(plain)

describe('settings', () => {
  it('names each option and each variable once', () => {
    const options = settings.filter((s) => s.option !== null).map(optionName)
    const variables = settings.flatMap((s) => s.env)
    expect(new Set(options).size).toBe(options.length)
    expect(new Set(variables).size).toBe(variables.length)
  })

  it('has a section above each nested option', () => {
    for (const { root, option } of settings) {
      const parent = option?.split('.').slice(0, -1).join('.')
      if (parent) expect(settings.some((s) => s.root === root && s.option === parent)).toBe(true)
    }
  })

  it('treats what is called a key, password or secret as one, and nothing else but a URL with credentials', () => {
    const secrets = settings.filter((s) => s.secret).map(optionName)
    expect(secrets).toEqual([
      'keys',
      'entra().clientSecret',
      'entra().clientCertificate',
      'oidc().clientSecret',
      'oidc().clientCertificate',
      'redisStore().url',
      'redisStore().sentinels',
      'redisStore().password',
      'redisStore().tls.key',
      'msalCachePlugin().keys',
      'CoatcheckStore().keys',
      'CoatcheckAdapter().keys',
      'secondaryStorage().keys',
      'sessionDataStore().keys',
    ])
  })
})

describe('docs/configuration.md', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  const rows = page
    .split('\n')
    .filter((line) => /^\| (?:`|–)/.test(line))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map(plain),
    )

  it('has a row for each setting, in the order of the table, and no other', () => {
    expect(rows).toEqual(settings.map(rowOf))
  })
})
