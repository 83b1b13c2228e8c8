/**
 * Carries out a Dockerfile without a container engine: each stage is a folder, `RUN` and `CMD` are processes in it. What an
 * engine adds is not covered: the base image, the user, the isolation of the file system and of the network.
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { promisify } from 'node:util'

export interface Image {
  /** Where the last stage works. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly base: string
  readonly user: string | null
  readonly port: number | null
  readonly command: readonly string[]
  readonly healthCheck: readonly string[]
}

interface Stage {
  readonly base: string
  readonly root: string
  workdir: string
  env: Record<string, string>
  user: string | null
  port: number | null
  command: readonly string[]
  healthCheck: readonly string[]
}

/** @param context the folder that `docker build` would be given @param place where the stages go */
export async function buildImage(
  dockerfile: string,
  context: string,
  place: string,
  env: NodeJS.ProcessEnv,
): Promise<Image> {
  const stages = new Map<string, Stage>()
  let stage: Stage | null = null
  for (const [instruction, rest] of instructionsOf(dockerfile)) {
    if (instruction === 'FROM') {
      const [base = '', , name = `stage-${stages.size}`] = rest.split(/\s+/)
      stage = newStage(base, join(place, name))
      stages.set(name, stage)
    } else {
      if (stage === null) throw new Error(`${instruction} stands before FROM`)
      await carryOut(stage, instruction, rest, { context, stages, env })
    }
  }
  if (stage === null) throw new Error('the Dockerfile has no FROM')
  const { base, user, port, command, healthCheck } = stage
  return { folder: inside(stage), env: stage.env, base, user, port, command, healthCheck }
}

interface Surroundings {
  readonly context: string
  readonly stages: ReadonlyMap<string, Stage>
  readonly env: NodeJS.ProcessEnv
}

async function carryOut(stage: Stage, instruction: string, rest: string, around: Surroundings): Promise<void> {
  switch (instruction) {
    case 'WORKDIR':
      stage.workdir = rest
      mkdirSync(inside(stage), { recursive: true })
      return
    case 'ENV': {
      const [name = '', value = ''] = rest.split('=')
      stage.env[name] = value
      return
    }
    case 'COPY':
      copy(stage, rest, around)
      return
    case 'RUN':
      await promisify(execFile)('sh', ['-ec', rest], { cwd: inside(stage), env: { ...around.env, ...stage.env } })
      return
    case 'USER':
      stage.user = rest
      return
    case 'EXPOSE':
      stage.port = Number(rest)
      return
    case 'CMD':
      stage.command = JSON.parse(rest) as string[]
      return
    case 'HEALTHCHECK':
      stage.healthCheck = JSON.parse(rest.replace(/^(?:--\S+ )*CMD /, '')) as string[]
      return
    default:
      throw new Error(`${instruction} is not known here`)
  }
}

function copy(stage: Stage, rest: string, { context, stages }: Surroundings): void {
  const words = rest.split(/\s+/)
  const options = words.filter((word) => word.startsWith('--'))
  const paths = words.slice(options.length)
  const target = join(stage.root, stage.workdir, paths.at(-1) ?? '')
  const from = options.find((one) => one.startsWith('--from='))?.slice('--from='.length)
  const source = from === undefined ? null : stages.get(from)
  if (source === undefined) throw new Error(`no stage is named ${String(from)}`)
  const ignored = source === null ? ignoredIn(context) : []
  for (const path of paths.slice(0, -1)) {
    const full = join(source?.root ?? context, path)
    const isFolder = path === '.' || source !== null
    cpSync(full, isFolder ? target : join(target, basename(path)), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => !ignored.includes(relative(context, file)),
    })
  }
}

function ignoredIn(context: string): readonly string[] {
  const file = join(context, '.dockerignore')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}

function newStage(base: string, root: string): Stage {
  mkdirSync(root, { recursive: true })
  return { base, root, workdir: '/', env: {}, user: null, port: null, command: [], healthCheck: [] }
}

function inside({ root, workdir }: Stage): string {
  return join(root, workdir)
}

function instructionsOf(dockerfile: string): readonly (readonly [instruction: string, rest: string])[] {
  const lines = dockerfile.replaceAll(/\\\n\s*/g, ' ').split('\n')
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const)
}
