/** docs/errors.md, the catalogues, the types and what the code does with the texts say the same. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chapters, explanations } from '../../src/admin/explain/catalogue.ts'
import { connectionTexts } from '../../src/admin/explain/foreign-connection.ts'
import { entraCodes } from '../../src/admin/explain/foreign-entra.ts'
import { redisReplies } from '../../src/admin/explain/foreign-redis.ts'
import { anchorOf } from '../../src/admin/explain/sections.ts'
import { type ErrorCode, errorCatalogue } from '../../src/core/error-catalogue.ts'
import { CoatcheckError } from '../../src/core/errors.ts'
import { DOCS_URL } from '../../src/core/links.ts'
import { diagnose } from '../../src/redis/diagnose.ts'
import { classifyRefresh, outcomeActions, outcomeRules } from '../../src/token/refresh-outcome.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { errorPage, renderErrorPage } from './error-page.ts'

const headings = readFileSync(errorPage, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('#'))
  .map((line) => anchorOf(line.replace(/^#+ /, '')))
const codes = Object.keys(errorCatalogue) as ErrorCode[]

it('the page is what the catalogues say', async () => {
  await expect(await renderErrorPage()).toMatchFileSnapshot(errorPage)
})

describe('catalogue', () => {
  it('has each code of ours, in the order of the types, and no other', () => {
    expect(chapters[0]?.entries.map(({ name }) => name)).toEqual(codes)
  })

  it('has no name and no anchor twice', () => {
    const names = [...chapters.map(({ title }) => title), ...explanations.map(({ name }) => name)]
    expect(new Set(names.map(anchorOf)).size).toBe(names.length)
    expect(new Set(explanations.map(({ name }) => name.toLowerCase())).size).toBe(explanations.length)
  })

  it.each(codes)('%s: `error.docs` is the address of a section of the page', (code) => {
    const [address, anchor] = new CoatcheckError(code).docs.split('#')
    expect(address).toBe(`${DOCS_URL}/errors.md`)
    expect(headings).toContain(anchor)
  })

  it.each(explanations.map((entry) => [entry.name, entry] as const))('%s is whole', (_name, entry) => {
    const { why, fix, kind, cause, check, prevent, related, seen, match } = entry
    for (const text of [why, fix]) expect(text).toMatch(/\S.{10,}/)
    if (kind === 'error') expect(cause).toMatch(/\S.{20,}\.$/)
    // A finding is its own prevention: it is told before anybody meets the error.
    else if (kind === 'text') for (const text of [why, fix, check, prevent]) expect(text).toMatch(/\S.{10,}/)
    const known = new Set(explanations.map(({ name }) => name))
    for (const name of related) expect(known).toContain(name)
    for (const text of seen) expect(text).toMatch(match)
    expect(match.flags).not.toContain('g')
  })
})

describe('what the code makes of the texts', () => {
  const texts = [...redisReplies, ...connectionTexts].flatMap(({ name, seen, related }) =>
    related.length === 0 ? [] : seen.map((text) => [name, text, related] as const),
  )
  it.each(texts)('%s: %s', (name, text, related) => {
    // Node and OpenSSL say it in `code`, Redis and the client library in the text.
    const code = /\b(?:E[A-Z_]{4,}|[A-Z_]+_CERT(?:_[A-Z_]+)?|CERT_[A-Z_]+|UNABLE_TO_[A-Z_]+)\b/.exec(text)?.[0]
    const isReply = redisReplies.some((entry) => entry.name === name)
    const bare = text.replace(/^[A-Z]\w*Error: /, '')
    const error = Object.assign(
      new Error(bare),
      isReply ? {} : { code: code ?? (/ssl/i.test(text) ? 'EPROTO' : undefined) },
    )
    expect(related).toContain(diagnose(error, 'cache:6379').code)
  })

  it('every AADSTS number that decides what a failed refresh means is explained, with the code that it gives', () => {
    const numbers = outcomeRules.flatMap(({ errorCodes = [] }) => errorCodes)
    expect(numbers.length).toBeGreaterThan(10)
    for (const number of numbers) {
      const { code } = outcomeActions[classifyRefresh({ status: 400, error: 'invalid_grant', errorCodes: [number] })]
      expect(entraCodes.find(({ name }) => name === `AADSTS${number}`)?.related, `AADSTS${number}`).toContain(code)
    }
  })
})

describe('the commands of "How to check"', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server.stop())

  const commands = [
    ...new Set(
      explanations.flatMap(({ check }) => [...(check ?? '').matchAll(/`([^`]+)`/g)].map(([, run = '']) => run)),
    ),
  ]
  const asked = commands.filter((command) => command.startsWith('redis-cli'))

  it('are found', () => expect(asked.length).toBeGreaterThan(8))

  it.each(asked)('%s', async (command) => {
    const env = { PATH: process.env.PATH, REDIS_URL: server.url }
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command], { env })
    // What only a cluster knows, a single server refuses by this name.
    expect(stdout.trim()).toMatch(
      command.includes(' CLUSTER ') ? /cluster support disabled|^\d+$/ : /^(?!ERR|WRONG|NO)/,
    )
    expect(stderr).toBe('')
  })

  it.each(commands.filter((command) => !command.startsWith('redis-cli')))('%s is a shell command', async (command) => {
    await promisify(execFile)('sh', ['-n', '-c', command.replace(/HOST|PORT|TENANT|CLIENT_ID/g, 'x')])
  })
})
