/**
 * What `coatcheck init` would do to a folder, before it does any of it. Nothing that is there is overwritten: such a file is
 * kept, and what should be in it is shown. Only `.env.local` and `.gitignore` get lines added.
 */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Random } from '../../core/random.ts'
import type { Project } from '../project/project.ts'
import { UsageError } from '../usage-error.ts'
import type { Choices, Framework } from './choices.ts'
import { missingSettings } from './env-local.ts'
import { GITIGNORE_ADDITION, isExposed, isTracked, NEW_GITIGNORE } from './git-ignore.ts'
import { newManifest, packageNameOf } from './packages.ts'
import type { Template, TemplateFile, TemplateInput } from './template.ts'
import { express } from './templates/express.ts'
import { fastify } from './templates/fastify.ts'
import { hono } from './templates/hono.ts'
import { next } from './templates/next.ts'

const TEMPLATES: Readonly<Record<Framework, (input: TemplateInput) => Template>> = { next, express, fastify, hono }

export interface Step {
  readonly path: string
  /**
   * `create`: it is not there · `append`: lines are added to its end · `same`: it is as it should be · `keep`: it is left
   * alone, and `text` is what should be in it.
   */
  readonly action: 'create' | 'append' | 'same' | 'keep'
  readonly text: string
  /** Settings by name, where `text` holds a secret: it must not be shown. */
  readonly settings?: readonly string[]
}

export interface Plan {
  readonly steps: readonly Step[]
  readonly template: Template
  /** The wiring, for an application that is there already; `null` when it is written. */
  readonly wiring: string | null
  /** Scripts that package.json lacks, for whoever owns it. */
  readonly scripts: Readonly<Record<string, string>>
}

/** @throws {UsageError} when git has the file that a key would have to go into */
export function planInit(project: Project, choices: Choices, random: Random): Plan {
  const { manifest } = project
  const isTypeScript =
    manifest === null ? choices.framework === 'next' : project.has('tsconfig.json') || project.dependsOn('typescript')
  const isModule = manifest === null || manifest.type === 'module'
  const input: TemplateInput = { project, choices, isTypeScript, moduleEnding: isModule ? 'js' : 'mjs' }
  const template = TEMPLATES[choices.framework](input)
  const starts = !hasApplication(project, template)
  const files = [...template.files, ...(starts ? template.starter : [])]
  const steps = files.map((file) => stepFor(project, file))
  if (manifest === null) {
    const name = packageNameOf(basename(project.folder))
    steps.unshift({ path: 'package.json', action: 'create', text: newManifest(name, template) })
  }
  steps.push(...settingsStep(project, choices, random), ...ignoreStep(project))
  const { scripts = {} } = manifest ?? template
  return {
    steps,
    template,
    wiring: starts ? null : (template.starter[0]?.text ?? null),
    scripts: Object.fromEntries(Object.entries(template.scripts).filter(([script]) => !Object.hasOwn(scripts, script))),
  }
}

const MAIN_FILES = ['server', 'app', 'index', 'main', 'src/server', 'src/app', 'src/index', 'src/main']

/** Written by somebody before us: where to put the wiring is theirs to say. Our own starter counts as none. */
function hasApplication(project: Project, template: Template): boolean {
  const scripts = project.manifest?.scripts ?? {}
  const isForeign = (name: string): boolean => scripts[name] !== undefined && scripts[name] !== template.scripts[name]
  if (isForeign('dev') || isForeign('start')) return true
  const found = MAIN_FILES.flatMap((stem) => ['js', 'mjs', 'cjs', 'ts', 'mts'].map((ending) => `${stem}.${ending}`))
  return found.some((file) => project.has(file) && !/^server\.(m?js|ts)$/.test(file))
}

/** The same module under another ending is there too. */
const ENDINGS = ['ts', 'tsx', 'mts', 'js', 'jsx', 'mjs']

function stepFor(project: Project, { path, text }: TemplateFile): Step {
  const [, stem, ending = ''] = /^(.*)\.(\w+)$/.exec(path) ?? []
  const variants = ENDINGS.includes(ending) ? ENDINGS.map((other) => `${stem ?? ''}.${other}`) : []
  const found = [path, ...variants].find((variant) => project.has(variant))
  if (found === undefined) return { path, action: 'create', text }
  const isSame = readFileSync(join(project.folder, found), 'utf8') === text
  return { path: found, action: isSame ? 'same' : 'keep', text }
}

function settingsStep(project: Project, choices: Choices, random: Random): Step[] {
  const path = '.env.local'
  const read = (file: string): string => readFileSync(join(project.folder, file), 'utf8')
  const existing = [path, '.env'].filter((file) => project.has(file)).map(read)
  const { text, names } = missingSettings(choices, existing, random)
  if (text === '') return [{ path, action: 'same', text }]
  if (isTracked(project.folder)) {
    throw new UsageError(
      `git has ${path}, and would commit the key that belongs into it. Nothing was written. Take it out of git first, the file stays: git rm --cached ${path}`,
    )
  }
  if (!project.has(path)) return [{ path, action: 'create', text, settings: names }]
  const before = read(path).endsWith('\n') ? '\n' : '\n\n'
  return [{ path, action: 'append', text: before + text, settings: names }]
}

function ignoreStep(project: Project): Step[] {
  const path = '.gitignore'
  const ignored = project.has(path) ? readFileSync(join(project.folder, path), 'utf8') : ''
  const isInTheWay = isExposed(project.folder, ignored)
  if (!project.has(path)) {
    return project.manifest === null || isInTheWay ? [{ path, action: 'create', text: NEW_GITIGNORE }] : []
  }
  if (!isInTheWay) return []
  return [{ path, action: 'append', text: (ignored.endsWith('\n') ? '' : '\n') + GITIGNORE_ADDITION }]
}
