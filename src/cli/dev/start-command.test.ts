import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readProject } from '../project/project.ts'
import { UsageError } from '../usage-error.ts'
import { startCommand } from './start-command.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function shown(files: Readonly<Record<string, object | string>>, given: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-start-'))
  folders.push(folder)
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return startCommand(readProject(folder), given).shown
}
const scripts = (script: Record<string, string>) => ({ 'package.json': { scripts: script } })

describe('what is run', () => {
  it.each([
    ['what was given', scripts({ dev: 'next dev' }), ['node', 'app.js'], 'node app.js'],
    ['dev before start', scripts({ start: 'node a.js', dev: 'node b.js' }), [], 'npm run dev'],
    ['start', scripts({ start: 'node a.js' }), [], 'npm run start'],
    ['what dev wraps', scripts({ dev: 'coatcheck dev -- next dev -H localhost' }), [], 'next dev -H localhost'],
    ['also with flags', scripts({ dev: 'npx coatcheck dev --port 3100 -- node a.js' }), [], 'node a.js'],
    [
      'start, when dev is us without a command',
      scripts({ dev: 'coatcheck dev', start: 'node a.js' }),
      [],
      'npm run start',
    ],
    ['by the lock file', { ...scripts({ dev: 'x' }), 'pnpm-lock.yaml': '' }, [], 'pnpm run dev'],
    ['the server, as npm start would', { 'package.json': {}, 'server.mjs': '' }, [], 'node --watch server.mjs'],
    ['Next', { 'package.json': { dependencies: { next: '16' } } }, [], 'next dev'],
  ])('%s', (_what, files, given, command) => {
    expect(shown(files, given)).toBe(command)
  })

  it('says so when there is nothing', () => {
    expect(() => shown({})).toThrow(UsageError)
    expect(() => shown({ 'package.json': '{' })).toThrow(UsageError)
  })
})
