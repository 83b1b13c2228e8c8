/** The generated file compiles in projects with an old library and with every strict option, whichever helpers it holds. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { composeHelper } from '../../src/migrate/ioredis/generated/compose.ts'

const PACKAGES = resolve(import.meta.dirname, '../../node_modules')
const ALL = [
  'createRedis createRedisCluster Cluster connectRedis quitRedis disconnectRedis duplicateRedis redisStatus keyPrefix command commandBuffer',
  'defineCommand toText withCallback createPipeline createTransaction subscribeRedis psubscribeRedis scanStream ReplyError RedisKey RedisValue',
].flatMap((names) => names.split(' '))
const SETS = [
  ALL,
  ['createRedis'],
  ['Redis', 'command'],
  ['createPipeline'],
  ['subscribeRedis'],
  ['scanStream'],
  ['RedisOptions'],
]

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true })
  for (const name of ['redis', '@types/node', 'undici-types'])
    symlinkSync(join(PACKAGES, name), join(folder, 'node_modules', name), 'dir')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('compiles with the library of ES2020 and strictly', () => {
  const files = SETS.map((names, at) => {
    const path = join(folder, `helper-${at}.ts`)
    const chained = new Set(['get', 'set'])
    writeFileSync(path, composeHelper({ names: new Set(names), chained, target: 6, language: 'ts' }))
    return path
  })
  const program = ts.createProgram(files, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2020,
    lib: ['lib.es2020.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    isolatedModules: true,
    types: ['node'],
    typeRoots: [join(folder, 'node_modules/@types')],
  })
  const complaints = files.flatMap((file) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${file.slice(folder.length)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    )
  })
  expect(complaints).toEqual([])
})
