import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readProject } from '../project/project.ts'
import { ownPackage } from './own-package.ts'
import { installCommands, missingPackages, neededPackages, runnerOf } from './packages.ts'
import { readTsConfig } from './tsconfig.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-packages-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const COATCHECK = '{ "name": "app", "dependencies": { "coatcheck": "^0.1.0" } }'
const INSTALLED = { 'node_modules/coatcheck/package.json': '{}', 'node_modules/oidc-provider/package.json': '{}' }

describe('the commands that install what is missing', () => {
  it.each([
    ['package-lock.json', 'npm install redis@6 express@5', 'npx'],
    ['pnpm-lock.yaml', 'pnpm add redis@6 express@5', 'pnpm exec'],
    ['yarn.lock', 'yarn add redis@6 express@5', 'yarn'],
    ['bun.lock', 'bun add redis@6 express@5', 'bunx'],
  ])('follow %s, also that of a workspace above', (lockFile, command, runner) => {
    const workspace = folderOf({ [lockFile]: '', 'apps/web/package.json': COATCHECK })
    const project = readProject(join(workspace, 'apps/web'))
    for (const [path, text] of Object.entries(INSTALLED)) {
      mkdirSync(dirname(join(workspace, path)), { recursive: true })
      writeFileSync(join(workspace, path), text)
    }
    const commands = installCommands(project, missingPackages(project, neededPackages(['express'], [])))
    expect(commands.map((words) => words.join(' '))).toEqual([command])
    expect(runnerOf(project)).toBe(runner)
  })

  it('follow "packageManager" before a lock file', () => {
    const folder = folderOf({ 'package.json': '{ "packageManager": "pnpm@10.0.0" }', 'package-lock.json': '{}' })
    expect(readProject(folder).packageManager).toBe('pnpm')
  })

  it('install this copy from a tarball where it is a checkout, and make the tarball first', () => {
    const project = readProject(folderOf({ 'package.json': '{ "name": "app" }' }))
    const commands = installCommands(project, missingPackages(project, neededPackages([], [])))
    expect(commands[0]?.slice(0, 2)).toEqual(['npm', 'pack'])
    expect(commands[1]?.join(' ')).toMatch(/^npm install \.\/coatcheck-\d+\.\d+\.\d+\.tgz redis@6$/)
  })
})

describe('where this copy comes from', () => {
  const notes = (resolved: string): string => JSON.stringify({ packages: { 'node_modules/coatcheck': { resolved } } })

  it('a tarball, when npm noted one that is still there', () => {
    const folder = folderOf({ 'node_modules/.package-lock.json': notes('file:own.tgz'), 'own.tgz': '' })
    expect(ownPackage(join(folder, 'node_modules/coatcheck')).spec).toBe(join(folder, 'own.tgz'))
  })

  it('the registry, when npm noted an address', () => {
    const folder = folderOf({ 'node_modules/.package-lock.json': notes('https://registry.example/coatcheck.tgz') })
    expect(ownPackage(join(folder, 'node_modules/coatcheck'))).toMatchObject({ spec: 'coatcheck', before: [] })
  })
})

describe('tsconfig.json', () => {
  it('is read with comments, trailing commas and the files that it extends', () => {
    const folder = folderOf({
      'tsconfig.json': '{ // ours\n "extends": "./base", "compilerOptions": { "outDir": "dist//x", }, /* y */ }',
      'base.json': '{ "extends": "@tsconfig/node20/tsconfig.json", "compilerOptions": { "rootDir": "src" } }',
      'node_modules/@tsconfig/node20/tsconfig.json': '{ "compilerOptions": { "module": "node16", "outDir": "no" } }',
    })
    expect(readTsConfig(folder)?.options).toEqual({ module: 'node16', rootDir: 'src', outDir: 'dist//x' })
  })
})
