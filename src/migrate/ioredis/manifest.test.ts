/** package.json keeps its form, and names what the code loads. */
import { expect, test } from 'vitest'
import { migrateManifest } from './manifest.ts'

test('replaces ioredis by redis and keeps the lines around', () => {
  const text =
    '{\n  "dependencies": {\n    "express": "5",\n    "ioredis": "^5.4.1"\n  },\n  "devDependencies": {\n    "@types/ioredis": "4"\n  }\n}\n'
  expect(migrateManifest(text, 6, false)).toBe(
    '{\n  "dependencies": {\n    "express": "5",\n    "redis": "^6.3.1"\n  },\n  "devDependencies": {\n  }\n}\n',
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
