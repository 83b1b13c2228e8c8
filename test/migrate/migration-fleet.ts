/** Processes of one application behind a load balancer, and browsers that meet any of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sendRaw } from '../../src/testing/raw-http.ts'

const APP = fileURLToPath(new URL('../support/processes/migration-app.mjs', import.meta.url))

/** `old`: the old package in its usual set-up. The others: ours, in that mode. */
export type Build = 'old' | 'read' | 'move'
export type Data = Readonly<Record<string, string>>

export interface Instance {
  readonly build: Build
  readonly origin: string
  stop(): Promise<void>
}

export interface Fleet {
  /** Those that get requests now. */
  readonly instances: Instance[]
  start(build: Build, count: number): Promise<void>
  /** Takes the processes of a build out of the load balancer; they finish their requests and end. */
  stop(build: Build): Promise<void>
  /** @param fits which of them; absent: any */
  any(fits?: (instance: Instance) => boolean): Instance
}

/** How the processes of an application are started. */
export interface Program {
  /** Arguments of Node: the file, and what stands before it. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** The application of this name in `test/support/processes/migration/`. */
export function migrationApp(host: string, env: Readonly<Record<string, string>>): Program {
  return { args: [APP], env: { ...env, HOST: host } }
}

export function createFleet(program: Program): Fleet {
  const instances: Instance[] = []
  return {
    instances,
    async start(build, count) {
      await Promise.all(
        Array.from({ length: count }, async () => void instances.push(await startInstance(program, build))),
      )
    },
    async stop(build) {
      const leaving = instances.filter((instance) => instance.build === build)
      instances.splice(0, Infinity, ...instances.filter((instance) => instance.build !== build))
      await Promise.all(leaving.map((instance) => instance.stop()))
    },
    any(fits = () => true) {
      const fitting = instances.filter(fits)
      const one = fitting[Math.floor(Math.random() * fitting.length)]
      if (!one) throw new Error('no process runs')
      return one
    },
  }
}

async function startInstance({ args, env }: Program, build: Build): Promise<Instance> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env, BUILD: build },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const early = exited.then(([code]) =>
    Promise.reject(new Error(`the process of build ${build} ended with ${String(code)}`)),
  )
  early.catch(() => undefined)
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), early])) as [string]
  return {
    build,
    origin: `http://127.0.0.1:${line.replace('listening ', '')}`,
    async stop() {
      child.stdin.end()
      await exited
    },
  }
}

/** A browser: it keeps cookies, whatever process it meets. */
export class Browser {
  readonly #jar = new Map<string, string>()

  /**
   * @param isLost the response gets lost on its way: its cookies do not arrive
   * @returns the JSON of the response
   */
  async send(instance: Instance, method: 'GET' | 'POST', target: string, isLost = false): Promise<Data> {
    const { body, status, setCookies } = await sendRaw(instance.origin, target, { method, headers: this.headers() })
    for (const line of isLost ? [] : setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0\b|expires=Thu, 01 Jan 1970/i.test(line)) this.#jar.delete(name)
      else this.#jar.set(name, value)
    }
    if (status !== 200) throw new Error(`${method} ${target} at ${instance.build}: ${status} ${body}`)
    return JSON.parse(body) as Data
  }

  /** A copy of its cookies, as a thief would have it. */
  copy(): Browser {
    const copy = new Browser()
    for (const [name, value] of this.#jar) copy.#jar.set(name, value)
    return copy
  }

  headers(): Record<string, string> {
    return this.#jar.size === 0 ? {} : { cookie: [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ') }
  }
}
