/** The npm scripts that pages name: the test that starts the command of the script, or the reason why none does. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './blocks.ts'

type Script = { readonly by: string } | { readonly notRun: string }

const SCRIPTS: Readonly<Record<string, Script>> = {
  demo: { by: 'test/e2e/demo-command.test.ts' },
  'demo:next': { by: 'test/e2e/demo-next.test.ts' },
  bench: { notRun: 'it measures for minutes, and its figures mean nothing beside other tests' },
  test: { notRun: 'it is what runs this test, and would run it again' },
  lab: { notRun: 'it repeats for an hour what test/lab does here a few times' },
}

/** @returns what is wrong with the mention of a script, or `null` */
export function scriptProblem(name: string): string | null {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  if (!(name in scripts)) return `package.json has no script ${name}`
  const script = SCRIPTS[name]
  if (script === undefined) return `SCRIPTS does not say how ${name} is run`
  if ('notRun' in script) return null
  const test = join(root, script.by)
  if (!existsSync(test)) return `there is no ${script.by}`
  return readFileSync(test, 'utf8').includes(`npm run ${name}`) ? null : `${script.by} does not mention npm run ${name}`
}
