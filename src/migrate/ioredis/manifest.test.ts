/** package.json keeps its format, and names the packages that the code loads. */
import { describe, expect, test } from 'vitest'
import { migrateManifest, outdatedRedis } from './manifest.ts'

test('replaces ioredis by redis and keeps the lines around', () => {
  const text =
    '{\n  "dependencies": {\n    "express": "5",\n    "ioredis": "^5.4.1"\n  },\n  "devDependencies": {\n    "@types/ioredis": "4"\n  }\n}\n'
  expect(migrateManifest(text, 6, false)).toBe(
    '{\n  "dependencies": {\n    "express": "5",\n    "redis": "^6.3.1"\n  },\n  "devDependencies": {}\n}\n',
  )
})

test('keeps ioredis while a file names it', () => {
  const text = '{\n\t"dependencies": {\n\t\t"ioredis": "5",\n\t\t"zod": "4"\n\t}\n}\n'
  expect(migrateManifest(text, 5, true)).toBe(
    '{\n\t"dependencies": {\n\t\t"ioredis": "5",\n\t\t"redis": "^5.12.1",\n\t\t"zod": "4"\n\t}\n}\n',
  )
})

test('adds redis where another package of the workspace made the client', () => {
  expect(migrateManifest('{\n  "name": "api"\n}\n', 6, false)).toBe(
    '{\n  "name": "api",\n  "dependencies": {\n    "redis": "^6.3.1"\n  }\n}\n',
  )
})

test('takes a manifest on one line', () => {
  expect(JSON.parse(migrateManifest('{"dependencies":{"ioredis":"5","a":"1"}}', 6, false))).toEqual({
    dependencies: { redis: '^6.3.1', a: '1' },
  })
})

test('adds redis where the alphabet puts it', () => {
  const text =
    '{\n  "dependencies": {\n    "express": "5",\n    "ioredis": "5",\n    "pino": "9",\n    "zod": "4"\n  }\n}\n'
  expect(migrateManifest(text, 6, false)).toBe(
    '{\n  "dependencies": {\n    "express": "5",\n    "pino": "9",\n    "redis": "^6.3.1",\n    "zod": "4"\n  }\n}\n',
  )
  const last = '{\n  "dependencies": {\n    "ioredis": "5",\n    "pino": "9"\n  }\n}\n'
  expect(migrateManifest(last, 6, true)).toBe(
    '{\n  "dependencies": {\n    "ioredis": "5",\n    "pino": "9",\n    "redis": "^6.3.1"\n  }\n}\n',
  )
})

test('keeps ioredis for a package that loads the one of the application', () => {
  const text = '{\n  "dependencies": {\n    "bullmq": "^6.1.0",\n    "ioredis": "5"\n  }\n}\n'
  expect(migrateManifest(text, 6, false)).toContain('"ioredis": "5"')
  expect(migrateManifest(text.replace('^6.1.0', '^5.60.0'), 6, false)).not.toContain('ioredis')
  for (const version of ['6', '>=6', '10.1.0', 'latest', '*'])
    expect(migrateManifest(text.replace('^6.1.0', version), 6, false), version).toContain('"ioredis": "5"')
})

describe('outside of the dependency sections', () => {
  const SCRIPTS =
    '  "scripts": {\n    "ioredis": "node ioredis.js",\n    "redis": "docker run redis",\n    "redlock": "true"\n  },\n'
  const OVERRIDES = '  "overrides": {\n    "ioredis": "5.4.1"\n  }\n'

  test('a script called redis does not count as the package', () => {
    const text = `{\n${SCRIPTS}  "dependencies": {\n    "ioredis": "5"\n  },\n${OVERRIDES}}\n`
    expect(migrateManifest(text, 6, false)).toBe(
      `{\n${SCRIPTS}  "dependencies": {\n    "redis": "^6.3.1"\n  },\n${OVERRIDES}}\n`,
    )
  })

  test('a script called ioredis is no dependency', () => {
    expect(migrateManifest(`{\n${SCRIPTS}${OVERRIDES}}\n`, 6, false)).toBe(
      `{\n${SCRIPTS}${OVERRIDES.trimEnd()},\n  "dependencies": {\n    "redis": "^6.3.1"\n  }\n}\n`,
    )
  })
})

test('adds redis to the peers and the development dependencies of a library', () => {
  const text =
    '{\n  "peerDependencies": {\n    "ioredis": ">=5"\n  },\n  "devDependencies": {\n    "ioredis": "5"\n  }\n}\n'
  expect(migrateManifest(text, 5, false)).toBe(
    text.replace('"ioredis": ">=5"', '"redis": "^5.12.1"').replace('"ioredis": "5"', '"redis": "^5.12.1"'),
  )
})

test('moves redis from the development dependencies to the dependencies, where ioredis was', () => {
  const manifest = { dependencies: { ioredis: '5', zod: '4' }, devDependencies: { redis: '^6.0.0', vitest: '4' } }
  expect(JSON.parse(migrateManifest(JSON.stringify(manifest), 6, false))).toEqual({
    dependencies: { redis: '^6.0.0', zod: '4' },
    devDependencies: { vitest: '4' },
  })
})

test('tells which older version of redis a package asks for', () => {
  const asking = (range: string): string => JSON.stringify({ dependencies: { redis: range } })
  for (const range of ['^4.7.1', '3', '~2.8.0']) expect(outdatedRedis(asking(range)), range).toBe(range)
  for (const range of ['^5.8.0', '6', '>=4', 'latest', '*', 'workspace:*', 'github:redis/node-redis#v4', '4 || 5'])
    expect(outdatedRedis(asking(range)), range).toBeNull()
  expect(outdatedRedis('{}')).toBeNull()
  expect(outdatedRedis('no JSON')).toBeNull()
})

test.each([
  ['lists on one line', '{\n  "files": ["dist", "src"],\n  "dependencies": {\n    "a": "1"\n  }\n}\n'],
  ['tabs and CRLF', '{\r\n\t"files": ["dist"],\r\n\t"dependencies": {\r\n\t\t"a": "1"\r\n\t}\r\n}\r\n'],
  ['one line', '{ "files": ["dist"], "dependencies": { "a": "1" } }'],
  ['no space', '{"files":["dist"],"dependencies":{"a":"1"}}'],
])('keeps the format: %s', (_title, text) => {
  const redis = migrateManifest(text, 6, false)
  expect(JSON.parse(redis)).toMatchObject({ dependencies: { a: '1', redis: '^6.3.1' } })
  expect(redis.replace(/,\s*"redis":\s*"\^6\.3\.1"/, '')).toBe(text)
})

test('leaves a file that is no JSON object alone', () => {
  for (const text of ['', '[]', '{ "dependencies": { "ioredis": "5", } }'])
    expect(migrateManifest(text, 6, false)).toBe(text)
})
