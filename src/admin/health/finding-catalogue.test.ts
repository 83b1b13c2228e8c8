/** Compares docs/doctor.md, the list of rights and docs/redis-acl.md with the code. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { exitCodeOfCause } from '../../cli/exit-code.ts'
import { errorCatalogue } from '../../core/error-catalogue.ts'
import { neededKeys, neededRights, type RedisFeature } from '../../stores/redis/acl-rights.ts'
import { redisKeys } from '../../stores/keys.ts'
import { findingCatalogue } from './finding-catalogue.ts'

const read = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
/** Text of a Markdown table cell, without the formatter's escapes. */
const plain = (cell: string): string => cell.replaceAll(/[\\`]/g, '').trim()

describe('docs/doctor.md', () => {
  it('has a row for each finding, in the order of the catalogue, with exit code, title and fix', () => {
    const rows = read('doctor.md')
      .split('\n')
      .filter((line) => line.startsWith('| `DOCTOR_'))
      .map((line) =>
        line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map(plain),
      )
    expect(rows).toEqual(
      Object.entries(findingCatalogue).map(([code, { severity, cause, title, fix }]) =>
        [code, severity === 'error' ? String(exitCodeOfCause(cause)) : severity, title, fix].map(plain),
      ),
    )
  })
})

describe('the catalogue', () => {
  it('has codes that no error has, and whole sentences', () => {
    for (const [code, { title, why, fix }] of Object.entries(findingCatalogue)) {
      expect(Object.hasOwn(errorCatalogue, code)).toBe(false)
      expect(title).toMatch(/^[^.]*[^. ]$|^[^.]*\.[^ ].*[^.]$/)
      for (const text of [why, fix]) expect(text).toMatch(/^\S.*[.)]$/)
    }
  })
})

describe('docs/redis-acl.md', () => {
  const page = read('redis-acl.md')
  const [, rules = ''] = /ACL SETUSER coatcheck (on >password [^`]+)/.exec(page) ?? []
  const keys = redisKeys('')
  const commandsOf = (features: readonly RedisFeature[]): string[] =>
    neededRights(keys, features).map(({ command }) => `+${command}`)

  it('allows what the doctor calls needed, but for the line that other libraries need', () => {
    const needed = rules.split('\n').filter((line) => !line.includes('+incr'))
    expect(commandsOf([]).sort()).toEqual((needed.join(' ').match(/\+[a-z|]+/g) ?? []).sort())
    for (const [pattern] of neededKeys(keys)) expect(rules).toContain(`~${pattern} `)
  })

  it.each<[RedisFeature, string]>([
    ['durability', '`durability`'],
    ['nearCache', '`nearCache`'],
    ['cluster', 'a cluster'],
    ['sentinel', 'at the Redis servers'],
  ])('adds for %s what the doctor calls needed', (feature, what) => {
    const row = page.split('\n').find((line) => line.startsWith('|') && line.includes(what))
    const added = (row?.split('`').at(-2) ?? '').replaceAll('\\|', '|').split(' ')
    expect(commandsOf([feature]).slice(-added.length)).toEqual(added)
  })
})
