/** `coatcheck dev`: runs the application of this folder with everything it needs, in one command and without any account. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_PORT } from '../../config/base-url.ts'
import { processEnvironment, variable } from '../../config/environment.ts'
import { parseDurationMs } from '../../core/duration.ts'
import { isCoatcheckError } from '../../core/errors.ts'
import { safeText, safeUrl } from '../../core/redact.ts'
import { startApplication } from '../../dev/application.ts'
import { devUserList } from '../../dev/dev-provider.ts'
import { faultSyntax, parseFault } from '../../dev/fault-grammar.ts'
import { isListening } from '../../dev/listening.ts'
import { openWorkbench, type Workbench, type WorkbenchOptions } from '../../dev/workbench.ts'
import type { Cli } from '../cli.ts'
import type { CommandContext, CommonFlags } from '../context.ts'
import { applicationEnvironment, namesRedis } from '../dev/environment.ts'
import { type StartCommand, startCommand } from '../dev/start-command.ts'
import { whyNoRedisUrl, wholeNumber } from '../flag-values.ts'
import { readProject } from '../project/project.ts'
import { UsageError } from '../usage-error.ts'

const PROVIDER_PORT = 4000
const MAX_PORT = 65_535
const LISTEN_MS = 60_000
const PROBE_MS = 100

interface DevFlags extends Pick<CommonFlags, 'url'> {
  readonly port?: number
  readonly idpPort: number
  readonly redis: string
  readonly accessTtl: number
  readonly fault: readonly string[]
}

export function dev(cli: Cli): Command {
  return cli
    .command<DevFlags>(
      'dev [command...]',
      'run the application with a local identity provider and a Redis of its own',
      [
        ['coatcheck dev', 'npm run dev, or start, with everything it needs around it'],
        ['coatcheck dev --access-ttl 30s -- node server.js', 'this command, and tokens that are soon refreshed'],
        ['coatcheck dev --fault refresh=429:3', 'the provider turns the next three refreshes away'],
      ],
      (context, flags, ...command) => run(context, flags, command),
    )
    .option('--port <port>', 'where the application listens (default: PORT, or 3000)', wholeNumber(1, MAX_PORT))
    .option('--idp-port <port>', 'where the identity provider listens', wholeNumber(1, MAX_PORT), PROVIDER_PORT)
    .addOption(
      new Option('--redis <which>', 'memory, server (one of our own) or a URL').default(
        'auto',
        'server where there is redis-server',
      ),
    )
    .addOption(
      new Option('--access-ttl <duration>', 'how long access tokens live').default(3600, '1h').argParser(secondsOf),
    )
    .addOption(
      new Option('--fault <fault>', `may be given several times: ${faultSyntax}`)
        .default([], 'none')
        .argParser(collectFault),
    )
}

async function run(context: CommandContext, flags: DevFlags, given: readonly string[]): Promise<number> {
  const { output, signal, terminal } = context
  const project = readProject(terminal.folder)
  const command = startCommand(project, given)
  const redis = redisOf(flags.redis === 'auto' ? (flags.url ?? 'auto') : flags.redis)
  const { options } = await context.config()
  const port = flags.port ?? portOfEnvironment()
  await assertFree(port, '--port')
  await assertFree(flags.idpPort, '--idp-port')
  const workbench = await openWorkbench({
    port,
    providerPort: flags.idpPort,
    callbackPaths: callbackPathsOf(options.basePath ?? '/auth', options.providers ?? []),
    accessTokenTtlSeconds: flags.accessTtl,
    redis,
    onError: (error) => output.note(`identity provider: ${safeText(error.message)}`),
  })
  context.closeLater(() => workbench.close())
  if (workbench.redis.kind !== 'url' && namesRedis()) {
    output.note('REDIS_URL is left aside for this run; --redis <url> uses a Redis of yours.')
  }
  if (signal.aborted) return 0

  const application = startApplication({
    ...command,
    folder: terminal.folder,
    environment: applicationEnvironment(project, workbench),
    stdout: output.isJson ? 2 : 1,
  })
  context.closeLater(() => application.close())
  const ignoreInterrupts = terminal.onInterrupt(() => application.stop())
  const applicationEnded = new AbortController()
  try {
    const [code] = await Promise.all([
      application.ended.finally(() => applicationEnded.abort()),
      announce(context, { port, command, workbench, faults: flags.fault, until: applicationEnded.signal }),
    ])
    return code
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new UsageError(`"${safeText(command.file)}" is no program that could be run.`)
  } finally {
    ignoreInterrupts()
  }
}

interface Announcement {
  readonly port: number
  readonly command: StartCommand
  readonly workbench: Workbench
  readonly faults: readonly string[]
  /** Aborted when the application has ended. */
  readonly until: AbortSignal
}

/** Prints all addresses as soon as the application listens. Faults take effect from then on. */
async function announce(context: CommandContext, announcement: Announcement): Promise<void> {
  const { port, command, workbench, faults, until } = announcement
  const { output } = context
  const tries = Math.ceil(LISTEN_MS / PROBE_MS)
  let isUp = false
  for (let i = 0; i < tries && !isUp; i++) {
    if (until.aborted) return
    isUp = await isListening(port)
    if (!isUp) await delay(PROBE_MS, undefined, { signal: until }).catch(() => undefined)
  }
  if (until.aborted) return
  if (!isUp) output.note(`Nothing listens on port ${port} yet. Does the application listen on PORT?`)
  for (const fault of faults) {
    try {
      await workbench.provider.switches.apply(fault)
    } catch (error) {
      if (!isCoatcheckError(error)) throw error
      output.note(error.message)
    }
  }
  const { provider, redis } = workbench
  const document = {
    application: { url: `http://localhost:${port}`, command: command.shown },
    provider: { url: provider.url, issuer: provider.issuer, faults: `${provider.url}/dev/faults` },
    redis: { kind: redis.kind, url: redis.url === null ? null : safeUrl(redis.url) },
    people: devUserList,
    faults: provider.switches.list(),
  }
  output.data(document, () => textOf(context, document))
}

interface Document {
  readonly application: { readonly url: string; readonly command: string }
  readonly provider: { readonly url: string; readonly faults: string }
  readonly redis: { readonly kind: Workbench['redis']['kind']; readonly url: string | null }
  readonly faults: readonly { readonly fault: string }[]
}

function textOf({ output }: CommandContext, { application, provider, redis, faults }: Document): string {
  const stores = { memory: 'memory of the application', server: `${redis.url ?? ''} (ours)`, url: redis.url ?? '' }
  const label = (text: string): string => output.paint('dim', text.padEnd(13))
  const lines = [
    '',
    `${label('ready')}${output.paint('green', application.url)}  ${safeText(application.command)}`,
    `${label('provider')}${provider.url}`,
    `${label('faults')}${provider.faults}${faults.length > 0 ? `  on: ${faults.map(({ fault }) => fault).join(', ')}` : ''}`,
    `${label('sessions in')}${stores[redis.kind]}`,
    '',
    'Who can sign in, with a click and no password:',
    ...devUserList.map(({ name, email, note }) => `  ${name.padEnd(18)} ${email.padEnd(23)} ${note}`),
    '',
    'Ctrl-C ends all of it.',
    '',
  ]
  return lines.join('\n')
}

/** The first provider has the plain path, the others append their names; see docs/sign-in.md. */
function callbackPathsOf(basePath: string, providers: readonly { readonly name?: string }[]): readonly string[] {
  const others = providers.slice(1).flatMap(({ name }) => (name === undefined ? [] : [`/${encodeURIComponent(name)}`]))
  return ['', ...others].map((name) => `${basePath}/callback${name}`)
}

function portOfEnvironment(): number {
  const port = Number(variable(processEnvironment(), 'PORT') ?? DEFAULT_PORT)
  if (Number.isInteger(port) && port >= 1 && port <= MAX_PORT) return port
  throw new UsageError('PORT is no port: a whole number from 1 to 65535.')
}

async function assertFree(port: number, flag: string): Promise<void> {
  if (await isListening(port)) throw new UsageError(`Port ${port} is in use: choose another one with ${flag}.`)
}

/** Validated after parsing: the parser prints a value that it rejects, and the value may contain a password. */
function redisOf(text: string): WorkbenchOptions['redis'] {
  if (text === 'auto' || text === 'memory' || text === 'server') return text
  const problem = whyNoRedisUrl(text)
  if (problem !== undefined) throw new UsageError(`--redis must be memory, server or a URL. ${problem}`)
  return new URL(text)
}

function secondsOf(text: string): number {
  const ms = parseDurationMs(text)
  if (ms === null || ms % 1000 !== 0) throw new InvalidArgumentError('It must be whole seconds: 30s, 5m, 1h.')
  return ms / 1000
}

function collectFault(text: string, before: readonly string[]): readonly string[] {
  try {
    parseFault(text)
  } catch (error) {
    if (isCoatcheckError(error)) throw new InvalidArgumentError(error.message)
    throw error
  }
  return [...before, text]
}
