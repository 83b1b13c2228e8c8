/** The script of `coatcheck completion` (docs/cli.md), sourced in a real bash; those for zsh and fish, where there is such a shell. */
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { placesOf, wordsAt } from '../../src/cli/completion/command-tree.ts'
import { createProgram } from '../../src/cli/program.ts'
import { processTerminal } from '../../src/cli/terminal.ts'
import { type CommandFolder, commandFolder } from '../support/command-line.ts'

const places = placesOf(createProgram(processTerminal(), () => undefined))
let folder: CommandFolder
const scripts: Record<string, string> = {}

beforeAll(async () => {
  folder = commandFolder()
  for (const shell of ['bash', 'zsh', 'fish']) {
    const ended = await folder.run(['completion', shell])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    scripts[shell] = ended.stdout
  }
})
afterAll(() => folder.remove())

/** What bash offers when Tab is pressed behind these words, the last of which may be empty or begun. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const line = ['coatcheck', ...words].map((word) => `'${word}'`).join(' ')
  const script = `eval "$SCRIPT"; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _coatcheck; printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { ...process.env, SCRIPT: scripts.bash }
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script], { env })
  return stdout.split('\n').filter(Boolean)
}

describe('bash', () => {
  test('registers itself', async () => {
    const env = { ...process.env, SCRIPT: scripts.bash }
    const said = await promisify(execFile)('bash', ['--norc', '-c', 'eval "$SCRIPT"; complete -p coatcheck'], { env })
    expect(said.stdout).toBe('complete -o default -F _coatcheck coatcheck\n')
  })

  test.each(places.map((place) => [place.path, place] as const))(
    'everything at "coatcheck %s"',
    async (path, place) => {
      const words = path === '' ? [] : path.split(' ')
      expect(await offered(...words, '')).toEqual(wordsAt(place).map(({ text }) => text))
    },
  )

  test('begun words, values, and places behind flags', async () => {
    expect(await offered('comp')).toEqual(['completion'])
    expect(await offered('ping', '--co')).toEqual(['--config', '--count'])
    expect(await offered('init', '--framework', '')).toEqual(['next', 'express', 'fastify', 'hono'])
    expect(await offered('init', '--framework', 'f')).toEqual(['fastify'])
    expect(await offered('completion', 'z')).toEqual(['zsh'])
    // Files are for bash itself to offer.
    expect(await offered('ping', '--config', '')).toEqual([])
    expect(await offered('ping', '--json', '--cou')).toEqual(['--count'])
  })
})

test('the tree is that of the program', () => {
  expect(places[0]?.below.map(({ text }) => text)).toEqual(
    expect.arrayContaining(['init', 'dev', 'ping', 'secret', 'completion', 'help']),
  )
})

describe.each(['zsh', 'fish'])('%s', (shell) => {
  test('names every command and flag', () => {
    for (const { below, flags } of places) {
      for (const { text } of below) expect(scripts[shell]).toContain(text)
      for (const { names } of flags) {
        for (const name of names) expect(scripts[shell]).toContain(shell === 'fish' ? name.replace(/^-+/, '') : name)
      }
    }
  })

  const isThere = spawnSync(shell, ['-c', 'exit 0']).status === 0
  test('is free of syntax errors', (context) => {
    if (!isThere) return context.skip(`${shell} is not installed on this machine`)
    const args = shell === 'zsh' ? ['-n', '/dev/stdin'] : ['--no-execute', '/dev/stdin']
    const { status, stderr } = spawnSync(shell, args, { input: scripts[shell], encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })
})

test('another shell is a wrong use', async () => {
  expect(await folder.run(['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' })
})
