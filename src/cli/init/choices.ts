/** What `coatcheck init` has to know, and where it learns it: flags, then the project, then whoever sits there. */
import { isCancel, select, text } from '@clack/prompts'
import type { Project } from '../project/project.ts'
import { whyNoRedisUrl } from '../flag-values.ts'
import { UsageError } from '../usage-error.ts'

export const frameworks = ['next', 'express', 'fastify', 'hono'] as const
export type Framework = (typeof frameworks)[number]

export const providers = ['entra', 'oidc', 'dev'] as const
export type ProviderChoice = (typeof providers)[number]

export interface Choices {
  readonly framework: Framework
  /** `null`: memory, on localhost. Never with a password. */
  readonly redisUrl: string | null
  readonly provider: ProviderChoice
}

export interface ChoiceFlags {
  readonly framework?: Framework
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

/** Somebody turned back in the middle of the questions. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/**
 * @param isInteractive whether somebody can be asked; else flags, the project and the defaults have to do
 * @throws {UsageError} when nothing says which framework, or a flag cannot be used · {Cancelled}
 */
export async function choose(project: Project, flags: ChoiceFlags, isInteractive: boolean): Promise<Choices> {
  const detected = frameworks.find((name) => project.dependsOn(name))
  if (flags.yes === true || !isInteractive) {
    const framework = flags.framework ?? detected
    if (flags.yes !== true) throw new UsageError('Nobody can be asked here: take the defaults with --yes.')
    if (framework === undefined) {
      throw new UsageError(`package.json names no framework that is known: --framework ${frameworks.join('|')}.`)
    }
    return { framework, redisUrl: urlOf(flags.redis ?? 'memory'), provider: flags.provider ?? 'entra' }
  }
  const framework = flags.framework ?? (await askFramework(detected))
  const redisUrl = urlOf(flags.redis ?? (await askRedis()))
  return { framework, redisUrl, provider: flags.provider ?? (await askProvider()) }
}

const output = process.stderr

async function askFramework(detected: Framework | undefined): Promise<Framework> {
  return answered(
    await select({
      message: 'Which framework?',
      options: frameworks.map((value) => ({
        value,
        label: NAMES[value],
        ...(value === detected && { hint: 'found in package.json' }),
      })),
      ...(detected !== undefined && { initialValue: detected }),
      output,
    }),
  )
}

async function askRedis(): Promise<string> {
  const picked = answered(
    await select({
      message: 'Where is Redis?',
      options: [
        { value: 'memory', label: 'None yet', hint: 'sessions live in the memory of the application, on localhost' },
        { value: LOCAL_REDIS, label: LOCAL_REDIS },
        { value: 'other', label: 'Somewhere else' },
      ],
      output,
    }),
  )
  if (picked !== 'other') return picked
  return answered(
    await text({
      message: 'Its URL, without the password (that goes into REDIS_PASSWORD)?',
      placeholder: 'rediss://user@redis.example:6380',
      validate: (given) => whyNoRedisUrl(given ?? ''),
      output,
    }),
  )
}

async function askProvider(): Promise<ProviderChoice> {
  return answered(
    await select({
      message: 'Who signs people in?',
      options: [
        { value: 'entra', label: 'Microsoft Entra ID', hint: 'coatcheck dev stands in for it meanwhile' },
        { value: 'oidc', label: 'Another OpenID Connect provider' },
        { value: 'dev', label: 'Decide later', hint: 'the local provider of coatcheck dev' },
      ],
      output,
    }),
  )
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new Cancelled()
  return answer as Exclude<T, symbol>
}

function urlOf(redis: string): string | null {
  if (redis === 'memory') return null
  const problem = whyNoRedisUrl(redis)
  if (problem !== undefined) throw new UsageError(`--redis wants memory or a URL. ${problem}`)
  return redis
}
