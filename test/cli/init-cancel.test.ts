/** `coatcheck init` on a real terminal: a question that is canceled leaves the folder exactly as it was. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type CommandFolder, commandFolder } from '../support/command-line.ts'
import { onTerminal, type TerminalRun } from '../support/pseudo-terminal.ts'

const BIN = resolve(import.meta.dirname, '../../dist/cli/bin.js')
const ENTER = '\r'
const DOWN = '\u001b[B'
const CANCEL_KEYS = { 'Ctrl+C': '\u0003', Escape: '\u001b', 'Ctrl+D': '\u0004' } as const

const folders: CommandFolder[] = []
afterEach(() => {
  for (const made of folders.splice(0)) made.remove()
})

function folder(): CommandFolder {
  const made = commandFolder()
  folders.push(made)
  mkdirSync(join(made.path, 'project'))
  return made
}

function start(at: CommandFolder, ...args: readonly string[]): TerminalRun {
  // The home folder lies elsewhere, so that nothing but the command writes into the project.
  const env = { PATH: process.env.PATH, HOME: at.path }
  return onTerminal([process.execPath, BIN, 'init', ...args], join(at.path, 'project'), env)
}

/** Every file below the project with its content. */
function contentOf(at: CommandFolder): Readonly<Record<string, string>> {
  const place = join(at.path, 'project')
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'utf8')]))
}

interface Question {
  readonly text: string
  /** The keys that answer it, so that the next one is asked. */
  readonly keys: string
}

const QUESTIONS: readonly Question[] = [
  { text: 'Which framework?', keys: DOWN + ENTER },
  { text: 'Which language?', keys: ENTER },
  { text: 'Where is Redis?', keys: DOWN + DOWN + ENTER },
  { text: 'The URL of Redis', keys: `redis://localhost:6379${ENTER}` },
  { text: 'Which identity provider?', keys: ENTER },
  { text: 'Install packages', keys: ENTER },
]

async function answerUpTo(run: TerminalRun, last: Question): Promise<void> {
  for (const question of QUESTIONS.slice(0, QUESTIONS.indexOf(last))) {
    await run.shows(question.text)
    // A key for each movement: the list is drawn anew in between.
    for (const key of question.keys.match(/\u001b\[.|[^\u001b]+/g) ?? []) run.type(key)
  }
  await run.shows(last.text)
}

describe.each(QUESTIONS)('at "$text"', (question) => {
  test.each(Object.keys(CANCEL_KEYS) as (keyof typeof CANCEL_KEYS)[])('%s writes nothing', async (key) => {
    const at = folder()
    const run = start(at)
    await answerUpTo(run, question)
    run.type(CANCEL_KEYS[key])
    expect(await run.ended).toMatchObject({ code: 130 })
    expect(run.screen()).toContain('Nothing was written.')
    expect(contentOf(at)).toEqual({})
  })
})

test('SIGTERM at a question ends the command, and writes nothing', async () => {
  const at = folder()
  at.write('project/package.json', '{ "name": "app", "dependencies": { "express": "^5.0.0" } }\n')
  const before = contentOf(at)
  const run = start(at)
  await run.shows('Which framework?')
  run.signalCommand('SIGTERM')
  expect(await run.ended).toMatchObject({ code: 130 })
  expect(contentOf(at)).toEqual(before)
})

test('with "No" to the installation the files are written, and the command is printed', async () => {
  const at = folder()
  const run = start(at, '--framework', 'express', '--language', 'javascript', '--redis', 'memory', '--provider', 'dev')
  await run.shows('Install packages')
  run.type('n')
  expect(await run.ended).toMatchObject({ code: 0 })
  expect(Object.keys(contentOf(at)).map((path) => path.slice(at.path.length + '/project/'.length))).toContain(
    'server.js',
  )
  expect(run.screen()).toContain('npm install')
})
