/** The fixture application before any change: the recorder must see the same twice, and with both majors of ioredis. */
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Application, copyApplication } from './application.ts'
import { ioredisCallSites } from './call-sites.ts'
import { differences } from './compare.ts'
import { type Keyspace, openKeyspace } from './keyspace.ts'
import { record, type Recording } from './recorder.ts'
import { type Servers, startServers } from './servers.ts'

const APP = resolve(import.meta.dirname, 'app')
// 1e21 is sent in full, and `call` returns pairs as RESP3 has them.
const CHANGED_IN_6 = ['arguments: storesNumbers', 'server: callsAnything']

describe('the fixture application on ioredis', () => {
  let servers: Servers
  let keyspace: Keyspace
  let application: Application
  const runs: Recording[] = []

  beforeAll(async () => {
    servers = await startServers()
    keyspace = await openKeyspace(servers.url)
    application = copyApplication(APP, { ioredis: 'ioredis' })
    expect(await application.check()).toBe('')
    await application.compile()
    for (let i = 0; i < 2; i++) runs.push(await record(application, { env: servers.env, keyspace }))
  })
  afterAll(async () => {
    application.remove()
    keyspace.close()
    await servers.stop()
  })

  it('has more than 300 steps', () => expect(runs[0]?.steps.size).toBeGreaterThan(300))

  it('has more than 1,000 call sites', () => {
    expect(ioredisCallSites(application.path).length).toBeGreaterThan(1_000)
  })

  it('has no step that hangs', () => {
    const hanging = [...(runs[0] as Recording).steps].filter(([, { seen }]) => seen.includes('"hangs"'))
    expect(hanging.map(([name]) => name)).toEqual([])
  })

  it('does the same in every run', () => {
    expect(differences(runs[0] as Recording, runs[1] as Recording)).toEqual([])
  })

  it('does the same on ioredis 6, but for what ioredis 6 changed', async () => {
    // As compiled above: the types of 6.0.0 refuse numbers as ranges, which its code takes.
    application.install({ ioredis: 'ioredis6' })
    const six = await record(application, { env: servers.env, keyspace })
    const differing = new Set(differences(runs[0] as Recording, six).map(({ step }) => step))
    expect([...differing]).toEqual(CHANGED_IN_6)
  })
})
