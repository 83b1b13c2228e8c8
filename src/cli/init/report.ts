/** Prints the result of `coatcheck init`: the files, the lines that an existing application lacks, and the next commands. */
import type { Output } from '../output.ts'
import type { Project } from '../project/project.ts'
import { runnerOf } from './packages.ts'
import type { Plan } from './plan.ts'
import type { Step } from './step.ts'
import { wiringText } from './wiring.ts'

const DONE = { create: 'created', append: 'added to', same: 'as it is', keep: 'as it is' } as const
const PLANNED = { create: 'create', append: 'add to', same: 'as it is', keep: 'as it is' } as const

interface FileReport {
  readonly path: string
  readonly action: Step['action']
  /** `null` if the text would show a secret, or if there is nothing to write. */
  readonly text: string | null
  readonly settings?: readonly string[]
  readonly placeholders?: readonly string[]
}

export function fileReport({ path, action, text, settings, placeholders }: Step): FileReport {
  const shown = settings || text === '' ? null : text
  return { path, action, text: shown, ...(settings && { settings }), ...(placeholders && { placeholders }) }
}

/**
 * In the order in which the user types them.
 * @param installs the commands that install missing packages
 */
export function nextSteps(plan: Plan, installs: readonly (readonly string[])[], project: Project): readonly string[] {
  const steps = installs.map(commandText)
  const scripts = Object.entries(plan.scripts)
  if (project.manifest !== null && scripts.length > 0) {
    // npm comes with Node, and changes package.json for every package manager.
    steps.push(`npm pkg set ${scripts.map(([name, script]) => `"scripts.${name}=${script}"`).join(' ')}`)
  }
  return [...steps, `${runnerOf(project)} coatcheck dev`]
}

/** Quotes a word that contains a space, in the form that both a POSIX shell and the Windows command prompt accept. */
export function commandText(command: readonly string[]): string {
  return command.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' ')
}

export function reportText(output: Output, plan: Plan, next: readonly string[], isDryRun: boolean): string {
  const words = isDryRun ? PLANNED : DONE
  const lines = plan.steps.map((step) => {
    const color = step.action === 'create' || step.action === 'append' ? 'green' : 'dim'
    return `${output.paint(color, words[step.action].padEnd(9))} ${step.path}${settingsText(step)}`
  })
  for (const { path, action, text, settings } of plan.steps) {
    const isWritten = action === 'create' || action === 'append'
    if (text === '' || settings || (isWritten && !isDryRun)) continue
    lines.push('', output.paint('bold', isWritten ? `${path}:` : `Add to ${path}:`), '', text.trimEnd())
  }
  if (plan.wiring !== null) {
    const { file } = plan.wiring
    lines.push('', output.paint('bold', `Add to ${file}:`), '', wiringText(plan.wiring).trimEnd())
  }
  if (isComplete(plan)) lines.push('', 'Everything is there. Nothing was changed.')
  lines.push('', 'Next:', ...next.map((step) => `  ${step}`))
  // The first page of an existing application shows nothing of Coatcheck.
  if (plan.firstPage !== '/') lines.push('', `Then open http://localhost:3000${plan.firstPage}`)
  return [...lines, ''].join('\n')
}

function settingsText({ settings = [], placeholders = [] }: Step): string {
  const set = settings.length > 0 ? `  sets ${settings.join(', ')}` : ''
  return placeholders.length > 0 ? `${set}  commented out: ${placeholders.join(', ')}` : set
}

/** Whether there is nothing to write and nothing to add by hand. */
function isComplete({ steps, wiring, scripts }: Plan): boolean {
  const isLeftAlone = steps.every(({ action, text }) => action === 'same' || (action === 'keep' && text === ''))
  return isLeftAlone && wiring === null && Object.keys(scripts).length === 0
}
