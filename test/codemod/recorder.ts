/** Runs every step of a compiled application in a process of its own and records the value and the keyspace that each one leaves. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Application } from './application.ts'
import type { KeyState, Keyspace } from './keyspace.ts'

const PROCESS = resolve(import.meta.dirname, 'process.mjs')
// Only for a step that never ends: that is an outcome too.
const HANG_MS = 12_000

export interface Outcome {
  /** What the program saw, as `encode.mjs` writes it. */
  readonly seen: string
  readonly keys: readonly KeyState[]
}

export interface Recording {
  readonly steps: ReadonlyMap<string, Outcome>
  /** Whether the process ended by itself once its client had been closed. */
  readonly endsByItself: boolean
}

export interface RecordOptions {
  readonly env: Readonly<Record<string, string>>
  readonly keyspace: Keyspace
  /** Folders of `src` whose modules export steps. Default: `steps`, `legacy` and `web`. */
  readonly folders?: readonly string[]
  readonly skip?: ReadonlySet<string>
}

export async function record(application: Application, options: RecordOptions): Promise<Recording> {
  const folders = options.folders ?? ['steps', 'legacy', 'web']
  const modules = application.files().filter((file) => folders.includes(file.split('/')[1] ?? ''))
  let child = start()
  const names = await stepsOf(child)
  const steps = new Map<string, Outcome>()
  for (const name of names) {
    if (options.skip?.has(name)) continue
    await options.keyspace.flush()
    const seen = await outcomeOf(child, name)
    steps.set(name, { seen: JSON.stringify(seen), keys: await options.keyspace.read() })
    if (child.exitCode !== null || child.signalCode !== null || 'hangs' in seen) {
      child.kill('SIGKILL')
      child = start()
      await stepsOf(child)
    }
  }
  child.send({})
  const endsByItself = await exits(child)
  child.kill('SIGKILL')
  return { steps, endsByItself }

  function start(): ChildProcess {
    return fork(PROCESS, [application.outputOf('src/client.ts'), ...modules.map(application.outputOf)], {
      cwd: application.path,
      env: { PATH: process.env.PATH, ...options.env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    })
  }
}

/** The names of the steps, once the modules are loaded. */
async function stepsOf(child: ChildProcess): Promise<string[]> {
  let stderr = ''
  child.stderr?.on('data', (text: Buffer) => (stderr += String(text)))
  const [loaded] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown]
  if (typeof loaded !== 'object' || loaded === null) throw new Error(`The application does not start. ${stderr}`)
  return (loaded as { steps: string[] }).steps
}

function outcomeOf(child: ChildProcess, name: string): Promise<object> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => done({ hangs: true }), HANG_MS)
    const onMessage = (message: unknown) => done((message as { outcome: object }).outcome)
    const onExit = (code: number | null) => done({ processExited: code })
    const done = (outcome: object) => {
      clearTimeout(limit)
      child.off('message', onMessage).off('exit', onExit)
      resolve(outcome)
    }
    child.on('message', onMessage).on('exit', onExit)
    child.send({ run: name })
  })
}

function exits(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => resolve(false), 10_000)
    child.once('exit', () => {
      clearTimeout(limit)
      resolve(true)
    })
  })
}
