/** `coatcheck size`: figures without a server, for people and for programs. */
import { afterAll, expect, test } from 'vitest'
import { commandFolder } from '../support/command-line.ts'

const at = commandFolder()
afterAll(() => at.remove())

test('a table of figures, warnings beside it, and no server asked', async () => {
  const ended = await at.run(['size', '--sessions', '1000000', '--replicas', '0'])
  expect(ended.code).toBe(0)
  expect(ended.stdout).toMatch(/^WHAT\tVALUE\nsessions\t[\d.]+ MiB\n/)
  expect(ended.stdout).toMatch(/\nprimaries\t1\n/)
  expect(ended.stdout).toMatch(/\nbreaks first\tmemory\n$/)
  expect(ended.stderr).toContain('Without a replica')
})

test('the same as a document', async () => {
  const flags = ['--reads', '200000', '--writes', '20000', '--session-bytes', '1100', '--resources', '2', '--json']
  const { code, stdout } = await at.run(['size', '--sessions', '100000000', ...flags])
  expect(code).toBe(0)
  const document = JSON.parse(stdout) as { primaries: number; nodes: number }
  expect(document).toMatchObject({
    schema: 1,
    command: 'size',
    input: { sessions: 100_000_000, users: 100_000_000, sessionBytes: 1100, resourcesPerUser: 2 },
    limit: 'memory',
  })
  expect(document.nodes).toBe(2 * document.primaries)
})

test('--help names every flag; without --sessions it is a wrong use', async () => {
  const help = await at.run(['size', '--help'])
  for (const flag of ['sessions', 'session-bytes', 'users', 'reads', 'writes', 'resources', 'replicas', 'headroom'])
    expect(help.stdout).toContain(`--${flag} `)
  expect(await at.run(['size'])).toMatchObject({ code: 2, stdout: '' })
  expect(await at.run(['size', '--sessions', '-5'])).toMatchObject({ code: 2, stdout: '' })
})
