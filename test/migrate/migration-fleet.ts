/** Processes of one application behind a load balancer, and browsers that meet any of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sendRaw } from '../../src/testing/raw-http.ts'

const APP = fileURLToPath(new URL('../support/processes/migration-app.mjs', import.meta.url))

export type Host = 'express' | 'fastify' | 'koa'
/** `old`: the library's own store. The others: ours, in that mode. */
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
  any(): Instance
}

export function createFleet(host: Host, env: Readonly<Record<string, string>>): Fleet {
  const instances: Instance[] = []
  return {
    instances,
    async start(build, count) {
      await Promise.all(
        Array.from({ length: count }, async () => void instances.push(await startInstance(host, build, env))),
      )
    },
    async stop(build) {
      const leaving = instances.filter((instance) => instance.build === build)
      instances.splice(0, Infinity, ...instances.filter((instance) => instance.build !== build))
      await Promise.all(leaving.map((instance) => instance.stop()))
    },
    any() {
      const one = instances[Math.floor(Math.random() * instances.length)]
      if (!one) throw new Error('no process runs')
      return one
    },
  }
}

async function startInstance(host: Host, build: Build, env: Readonly<Record<string, string>>): Promise<Instance> {
  const child = spawn(process.execPath, [APP], {
    env: { ...process.env, ...env, HOST: host, BUILD: build },
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

  /** @returns the JSON of the response */
  async send(instance: Instance, method: 'GET' | 'POST', target: string): Promise<Data> {
    const { body, status, setCookies } = await sendRaw(instance.origin, target, { method, headers: this.headers() })
    for (const line of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) this.#jar.delete(name)
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
