/** A small Express application on the Coatcheck of the world, for the length of one mistake. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { type ExpressAuth, type ExpressAuthOptions, expressAuth } from '../../src/adapters/express.ts'
import type { World } from './world.ts'

export type Web = ExpressAuth<Record<string, unknown>>

interface Application {
  readonly origin: string
  readonly web: Web
}

/** @param mount puts everything onto the application, the routes of Coatcheck too */
export async function serve(
  world: World,
  mount: (app: Express, web: Web) => void,
  { auth = world.auth, ...options }: ExpressAuthOptions & { readonly auth?: World['auth'] } = {},
): Promise<Application> {
  const web = expressAuth(auth, options)
  // Express prints no error of its own in this one.
  const app = express().set('env', 'test')
  mount(app, web)
  const server = app.listen(0, '127.0.0.1')
  world.later(async () => {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  })
  await once(server, 'listening')
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, web }
}
