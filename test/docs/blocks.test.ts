/**
 * Every fenced block of every page is run in the environment that it is meant for, or says why it cannot be. Servers are shared
 * by all blocks, and the compiler works beside the commands. The table at the end lists each block and how it was run.
 */
import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import * as parsers from './block-parsers.ts'
import { compileProject, executeModules, type Placed, projectFolder, writeProject } from './block-project.ts'
import { askProgram } from './block-programs.ts'
import { type Shell, startShell } from './block-shell.ts'
import { type Site, startSite } from './block-site.ts'
import { type Block, blocksOf, pagesWithBlocks, placeOf, root } from './blocks.ts'
import { describeWay, type Way, wayOf } from './ways.ts'

const blocks = pagesWithBlocks().flatMap(blocksOf)
const ways = blocks.map((block) => [block, wayOf(block)] as const)
const known = ways.filter((one): one is readonly [Block, Way] => typeof one[1] !== 'string')
const placed = writeProject(known)

let redis: RedisServer
let shell: Shell
let site: Site
let environment: NodeJS.ProcessEnv
let compiled: Promise<string>

beforeAll(async () => {
  compiled = compileProject()
  redis = await startRedisServer()
  site = await startSite()
  shell = await startShell(redis)
  environment = {
    PATH: process.env.PATH,
    COATCHECK_RUN: process.env.COATCHECK_RUN,
    COATCHECK_LOG: 'silent',
    COATCHECK_BASE_URL: 'http://localhost:3000',
    REDIS_URL: redis.url,
    COATCHECK_KEYS: randomBytes(32).toString('base64'),
    AZURE_AD_TENANT_ID: randomUUID(),
    AZURE_AD_CLIENT_ID: randomUUID(),
    AZURE_AD_CLIENT_SECRET: 'secret',
  }
}, 300_000)
afterAll(async () => {
  await shell.close()
  await site.close()
  await redis.stop()
  console.log(table())
})

it('every block says how it is run', () => {
  const unknown = ways.flatMap(([block, way]) => (typeof way === 'string' ? [`${placeOf(block)}: ${way}`] : []))
  expect(unknown).toEqual([])
  expect(known.length).toBeGreaterThan(100)
})

it('names settings that exist', () => {
  const wrong = blocks.flatMap((block) => {
    const problem = parsers.unknownSettings(block.code)
    return problem === null ? [] : [`${placeOf(block)}: ${problem}`]
  })
  expect(wrong).toEqual([])
})

describe('shell', () => {
  const found = known.filter(([, way]) => way.kind === 'shell')
  it.each(found.map(([block, way]) => [placeOf(block), block, way] as const))(
    '%s',
    async (_, block, way) => {
      if (way.kind !== 'shell') return
      expect(await shell.runBlock(block, way)).toEqual([])
    },
    240_000,
  )
})

describe('output', () => {
  const found = known.flatMap(([block, way]) =>
    way.kind === 'output' ? [[placeOf(block), block, way.of] as const] : [],
  )
  it.each(found)('%s', async (_, block, of) => {
    if (of.startsWith('GET ')) {
      expect(parsers.shapeProblem(JSON.parse(block.code), await site.get(of.slice('GET '.length)))).toBeNull()
      return
    }
    const { stdout, stderr } = await shell.run(of)
    expect(stdout, stderr).not.toBe('')
    if (block.language === 'json') {
      expect(parsers.shapeProblem(JSON.parse(block.code), JSON.parse(stdout))).toBeNull()
    } else {
      expect(rowsOf(stdout)).toEqual(expect.arrayContaining([...rowsOf(block.code)]))
    }
  })
})

describe('data', () => {
  const found = known.flatMap(([block, way]) =>
    way.kind === 'parsed' ? [[placeOf(block), block, way.as] as const] : [],
  )
  it.each(found)('%s', async (_, { code }, as) => {
    switch (as) {
      case 'environment':
        return expect(parsers.environmentProblem(code)).toBeNull()
      case 'json':
        return expect(parsers.jsonProblem(code)).toBeNull()
      case 'yaml':
        return expect(parsers.yamlProblem(code)).toBeNull()
      case 'promql':
        return expect(await parsers.promqlProblem(code)).toBeNull()
      case 'html':
        return expect(await site.submit(code)).toBe(303)
      case 'redis':
        return expect(await redis.cli(...code.trim().split(/\s+/))).toBe('OK')
    }
  })

  const trees = known.filter(([, way]) => way.kind === 'tree').map(([block]) => [placeOf(block), block] as const)
  it.each(trees)('%s', (_, { code }) => {
    const paths = code.split('\n').flatMap((line) => /^[\w./-]+/.exec(line)?.[0] ?? [])
    expect(paths.length).toBeGreaterThan(0)
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

describe('TypeScript', () => {
  let results: Readonly<Record<string, string | null>> = {}
  const executed = placed.filter(({ block }) => {
    const way = wayIn(block)
    return (way.kind === 'fragment' && way.executed) || (way.kind === 'file' && way.run === 'imported')
  })

  it('compiles for a strict user', async () => {
    // The compiler writes JavaScript even when it complains: one wrong block does not hide the others.
    const complaints = await compiled
    results = await executeModules(executed, environment)
    expect(complaints).toBe('')
  }, 300_000)

  it.each(executed.map((one) => [placeOf(one.block), one] as const))('%s is executed', (_, { built }) => {
    expect(results).toHaveProperty([built])
    expect(results[built]).toBeNull()
  })

  const programs = placed.filter(({ block }) => startsProgram(wayIn(block)))
  it.each(programs.map((one) => [placeOf(one.block), one] as const))(
    '%s is started and asked',
    async (_, { block, built }: Placed) => {
      const keysBefore = await countKeys()
      const { problems, isSelfContained } = await askProgram(built, block.code, environment, await freePort())
      expect(problems).toEqual([])
      if (!isSelfContained && block.code.includes('visits')) expect(await countKeys()).toBeGreaterThan(keysBefore)
    },
  )

  const suites = placed.filter(({ block }) => isSuite(wayIn(block)))
  it.each(suites.map((one) => [placeOf(one.block), one] as const))('%s passes under node --test', async (_, one) => {
    const { COATCHECK_BASE_URL: _base, ...env } = environment
    await promisify(execFile)(process.execPath, ['--test', one.built], { cwd: dirname(one.built), env })
  })
})

it.each([
  [
    'authjs',
    `const { handler, adapter } = await import('./docs-authjs/auth.js')
    console.log((await handler(new Request('http://localhost/api/auth/providers'))).status, await adapter.getUser('nobody'))
    await adapter.close()`,
    '200 null',
  ],
  [
    'better-auth',
    `const { auth } = await import('./docs-better-auth/auth.js')
    console.log((await auth.handler(new Request('http://localhost:3000/api/auth/ok'))).status); process.exit(0)`,
    '200',
  ],
  [
    'nextjs-auth0',
    `const { sessions, signOutEverywhere } = await import('./docs-nextjs-auth0/lib/auth0.js')
    console.log(await sessions.get('nobody'), await signOutEverywhere('nobody')); await sessions.close()`,
    'null 0',
  ],
])('the module of docs/%s.md works', async (_page, script, said) => {
  const options = { cwd: join(projectFolder, 'out'), env: environment }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options)
  expect(stdout.trim()).toBe(said)
})

function wayIn(block: Block): Way {
  return known.find(([one]) => one === block)![1]
}

function isSuite(way: Way): boolean {
  return way.kind === 'file' && way.run === 'tested'
}

function startsProgram(way: Way): boolean {
  return way.kind === 'file' && way.run === 'started'
}

async function countKeys(): Promise<number> {
  return Number(await redis.cli('dbsize'))
}

/** Rows are aligned for people and separated by tabs for programs. `$ npx coatcheck …` stands above what it printed. */
function rowsOf(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('$ '))
  return lines.map((line) =>
    line
      .trim()
      .split(/\t| {2,}/)
      .join(' | '),
  )
}

/** Blocks of one page that are run in the same way stand in one row. */
function table(): string {
  const rows = new Map<string, number[]>()
  for (const [block, way] of known) {
    const row = `${block.page.padEnd(32)} ${describeWay(way)}`
    rows.set(row, [...(rows.get(row) ?? []), block.line])
  }
  const lines = [...rows].map(
    ([row, at]) => `${row} (${at.length > 6 ? `${at.length} blocks` : `line ${at.join(', ')}`})`,
  )
  return `${known.length} blocks of ${new Set(known.map(([{ page }]) => page)).size} pages\n${lines.join('\n')}`
}
