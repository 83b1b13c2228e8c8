/** Runs a program with ioredis once, and compares it with its rewritten forms. For a test file: call it once, at the top of a `describe`. */
import { afterAll, beforeAll } from 'vitest'
import { copyApplication } from './application.ts'
import { type Keyspace, openKeyspace } from './keyspace.ts'
import { record, type Recording } from './recorder.ts'
import { type Servers, startServers } from './servers.ts'

/** The majors of `redis` that the codemod writes for, and the folders of `node_modules` that hold them. */
export const TARGETS = [
  { target: 5, redis: 'redis5' },
  { target: 6, redis: 'redis' },
] as const

/** @param project folder of the program */
export function recordedBefore(project: string) {
  let servers: Servers
  let keyspace: Keyspace
  let before: Recording

  beforeAll(async () => {
    servers = await startServers()
    keyspace = await openKeyspace(servers.url)
    const application = copyApplication(project, { ioredis: 'ioredis' })
    await application.compile()
    before = await record(application, { env: servers.env, keyspace })
    application.remove()
  })
  afterAll(async () => {
    keyspace.close()
    await servers.stop()
  })

  return {
    get servers() {
      return servers
    },
    get keyspace() {
      return keyspace
    },
    /** What the program did with ioredis. */
    get before() {
      return before
    },
  }
}
