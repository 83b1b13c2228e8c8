/** The choices that `coatcheck init` needs. The answers come from flags, then from the project, then from the user. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { configNames } from '../project/config-file.ts'
import type { Project } from '../project/project.ts'
import { whyNoRedisUrl } from '../flag-values.ts'
import { UsageError } from '../usage-error.ts'
import type { Questions } from './questions.ts'

export const frameworks = ['next', 'express', 'fastify', 'hono'] as const
export type Framework = (typeof frameworks)[number]

export const providers = ['entra', 'oidc', 'dev'] as const
export type ProviderChoice = (typeof providers)[number]

export const languages = ['javascript', 'typescript'] as const
export type Language = (typeof languages)[number]

export interface Choices {
  readonly framework: Framework
  readonly language: Language
  /** `null`: memory, on localhost. Never with a password. */
  readonly redisUrl: string | null
  readonly provider: ProviderChoice
}

export interface ChoiceFlags {
  readonly framework?: Framework
  readonly language?: Language
  /** `memory`, or a URL. */
  readonly redis?: string
  readonly provider?: ProviderChoice
  readonly yes?: boolean
}

const NAMES: Readonly<Record<Framework, string>> = {
  next: 'Next.js, App Router',
  express: 'Express',
  fastify: 'Fastify',
  hono: 'Hono on Node',
}
const LOCAL_REDIS = 'redis://localhost:6379'

/**
 * @param questions `null`: there is no terminal, so flags, project and defaults must provide all answers
 * @throws {UsageError} if no source names the framework, or a flag has a wrong value
 * @throws {Cancelled} when the user cancels a question
 */
export async function choose(project: Project, flags: ChoiceFlags, questions: Questions | null): Promise<Choices> {
  const detected = frameworks.find((name) => project.dependsOn(name))
  if (flags.yes === true || questions === null) {
    const framework = flags.framework ?? detected
    if (flags.yes !== true) throw new UsageError('Without a terminal, init cannot ask. Take the defaults with --yes.')
    if (framework === undefined) {
      throw new UsageError(`package.json names no supported framework. Add --framework ${frameworks.join('|')}.`)
    }
    return {
      framework,
      language: flags.language ?? languageOf(project) ?? defaultLanguage(framework),
      redisUrl: urlOf(flags.redis ?? 'memory'),
      provider: flags.provider ?? providerOf(project) ?? 'entra',
    }
  }
  const framework = flags.framework ?? (await askFramework(questions, detected))
  const language = flags.language ?? languageOf(project) ?? (await askLanguage(questions, framework))
  const redisUrl = urlOf(flags.redis ?? (await askRedis(questions)))
  const provider = flags.provider ?? (await askProvider(questions, providerOf(project)))
  return { framework, language, redisUrl, provider }
}

/** `undefined`: the project does not decide, so a new application may use either. */
function languageOf(project: Project): Language | undefined {
  if (project.has('tsconfig.json') || project.dependsOn('typescript')) return 'typescript'
  return project.manifest === null ? undefined : 'javascript'
}

const defaultLanguage = (framework: Framework): Language => (framework === 'next' ? 'typescript' : 'javascript')

/** The provider of an earlier run, so that a second run finds its files. */
function providerOf({ folder }: Project): ProviderChoice | undefined {
  const read = (file: string): string =>
    existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : ''
  const config = configNames.map(read).join('')
  if (/\boidc\(/.test(config)) return 'oidc'
  const settings = read('.env.local')
  if (!/\bentra\(/.test(config) || !settings.includes('COATCHECK_KEYS')) return undefined
  return settings.includes('AZURE_AD_') ? 'entra' : 'dev'
}

function askFramework(questions: Questions, detected: Framework | undefined): Promise<Framework> {
  const choices = frameworks.map((value) => ({
    value,
    label: NAMES[value],
    ...(value === detected && { hint: 'found in package.json' }),
  }))
  return questions.select('Which framework?', choices, detected)
}

function askLanguage(questions: Questions, framework: Framework): Promise<Language> {
  const choices = [
    { value: 'javascript', label: 'JavaScript' },
    { value: 'typescript', label: 'TypeScript' },
  ] as const
  return questions.select('Which language?', choices, defaultLanguage(framework))
}

async function askRedis(questions: Questions): Promise<string> {
  const picked = await questions.select('Where is Redis?', [
    {
      value: 'memory',
      label: 'None yet',
      hint: 'sessions stay in memory; coatcheck dev starts a redis-server of its own where there is one',
    },
    { value: LOCAL_REDIS, label: LOCAL_REDIS },
    { value: 'other', label: 'Another address' },
  ])
  if (picked !== 'other') return picked
  const message = 'The URL of Redis, without the password (which belongs into REDIS_PASSWORD)?'
  return questions.text(message, 'rediss://user@redis.example:6380', whyNoRedisUrl)
}

function askProvider(questions: Questions, known: ProviderChoice | undefined): Promise<ProviderChoice> {
  const choices = [
    { value: 'entra', label: 'Microsoft Entra ID', hint: 'coatcheck dev replaces it during development' },
    { value: 'oidc', label: 'Another OpenID Connect provider' },
    { value: 'dev', label: 'Decide later', hint: 'use the local provider of coatcheck dev' },
  ] as const
  return questions.select('Which identity provider?', choices, known)
}

function urlOf(redis: string): string | null {
  if (redis === 'memory') return null
  const problem = whyNoRedisUrl(redis)
  if (problem !== undefined) throw new UsageError(`--redis must be memory or a URL. ${problem}`)
  return redis
}
