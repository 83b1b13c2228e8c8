/**
 * Plans the changes of `coatcheck init` to a folder, before any of them happens. The plan never overwrites a file. It only appends lines to
 * `.env.local` and `.gitignore`. For every other existing file it lists what the file lacks.
 */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Random } from '../../core/random.ts'
import { entryOf } from '../project/entry.ts'
import type { Project } from '../project/project.ts'
import { type Application, findApplication } from './application.ts'
import type { Choices, Framework } from './choices.ts'
import { settingsStep } from './env-local.ts'
import { ignoreStep } from './git-ignore.ts'
import { javaScriptStyle, typeScriptStyle } from './module-style.ts'
import { newManifest } from './new-manifest.ts'
import { type NeededPackages, neededPackages } from './packages.ts'
import type { Step } from './step.ts'
import { ENDINGS, type Template, type TemplateFile, type TemplateInput } from './template.ts'
import { express } from './templates/express.ts'
import { fastify } from './templates/fastify.ts'
import { hono } from './templates/hono.ts'
import { next } from './templates/next.ts'
import { newTsConfig } from './templates/node-server.ts'
import { readTsConfig } from './tsconfig.ts'
import { authModuleOf, missingWiring, type Wiring } from './wiring.ts'

const TEMPLATES: Readonly<Record<Framework, (input: TemplateInput) => Template>> = { next, express, fastify, hono }

export interface Plan {
  /** In the order of execution: `.gitignore` comes before the file that it keeps out of git. */
  readonly steps: readonly Step[]
  readonly packages: NeededPackages
  /** The lines that an existing application needs; `null`: none. */
  readonly wiring: Wiring | null
  /** The scripts that package.json lacks for the starter. */
  readonly scripts: Readonly<Record<string, string>>
  /** Path of the page to open after the start. */
  readonly firstPage: string
}

/** @throws {UsageError} if git tracks the file that would receive a key */
export function planInit(project: Project, choices: Choices, random: Random): Plan {
  const { manifest } = project
  const input = inputOf(project, choices)
  const template = TEMPLATES[choices.framework](input)
  const application = template.wiring === undefined ? null : findApplication(project, template.wiring.constructor)
  const starts = application === null
  const { files, wiring } = connection(template, application, input)
  const steps = [...files, ...(starts ? template.starter : [])].map((file) => stepFor(project, file))
  const packages = neededPackages(template.packages, starts ? template.devPackages : [])
  if (manifest === null) {
    const text = newManifest(basename(project.folder), packages, template.scripts)
    steps.unshift({ path: 'package.json', action: 'create', text })
  }
  const { scripts: there = {} } = manifest ?? template
  const isMissing = ([script]: [string, string]): boolean => !Object.hasOwn(there, script)
  const isOurs = starts && template.starter.length > 0
  return {
    steps: [...ignoreStep(project), ...steps, ...settingsStep(project, choices, random)],
    packages,
    wiring,
    scripts: Object.fromEntries(Object.entries(isOurs ? template.scripts : {}).filter(isMissing)),
    firstPage: template.firstPage ?? '/',
  }
}

/** Connects an existing application: the modules that it lacks, and the lines to add. */
function connection(
  { files, wiring: parts }: Template,
  application: Application | null,
  { modules }: TemplateInput,
): { readonly files: readonly TemplateFile[]; readonly wiring: Wiring | null } {
  const own = files.at(-1)
  if (application === null || parts === undefined || own === undefined) return { files, wiring: null }
  const found = authModuleOf(application, parts)
  const wiring = missingWiring(application, parts, found ?? { path: own.path, auth: 'auth', web: 'web' }, modules)
  // An application that creates `auth` elsewhere also has its own place for options and settings.
  return { files: found === null || found.path === own.path ? files : [], wiring }
}

function inputOf(project: Project, choices: Choices): TemplateInput {
  const entry = choices.framework === 'next' ? null : entryOf(project)
  // A JavaScript application may also have a tsconfig.json, for its editor.
  const isTypeScript = choices.language === 'typescript' && !/\.[cm]?js$/.test(entry ?? '')
  if (!isTypeScript) {
    return { project, choices, isTypeScript, modules: javaScriptStyle(project, entry), tsConfig: null }
  }
  const tsConfig = readTsConfig(project.folder) ?? (entry === null ? newTsConfig : { options: {}, include: [] })
  return { project, choices, isTypeScript, modules: typeScriptStyle(project, tsConfig, entry), tsConfig }
}

/** A module that uses Coatcheck imports it, or the module that creates `auth`. */
const USES_US = /coatcheck|\/auth['"]/

function stepFor(project: Project, { path, text, marker, lines }: TemplateFile): Step {
  const [, stem, ending = ''] = /^(.*)\.(\w+)$/.exec(path) ?? []
  const variants = ENDINGS.includes(ending) ? ENDINGS.map((other) => `${stem ?? ''}.${other}`) : []
  const found = [path, ...variants].find((variant) => project.has(variant))
  if (found === undefined) return { path, action: 'create', text }
  const existing = readFileSync(join(project.folder, found), 'utf8')
  if (existing === text) return { path: found, action: 'same', text: '' }
  const isComplete = (marker ?? (USES_US.test(text) ? USES_US : /^/)).test(existing)
  return { path: found, action: 'keep', text: isComplete ? '' : (lines ?? text) }
}
