/** All old packages that the tests of the bridges run with. Each is loaded when it is made. */
import type { createClient } from 'redis'
import type { OldPackage } from './old-apps.ts'

type Client = ReturnType<typeof createClient>

const sids = () => import('./old-sid-apps.ts')
const seals = () => import('./old-sealed-apps.ts')

export const oldPackages: readonly (readonly [string, (client: Client) => Promise<OldPackage>])[] = [
  ['express-session with connect-redis', async (client) => (await sids()).expressSessionApp(client)],
  ['@fastify/session with connect-redis', async (client) => (await sids()).fastifySessionApp(client)],
  [
    '@fastify/session with the prefix of express-session',
    async (client) => (await sids()).fastifySessionApp(client, 's:'),
  ],
  ['better-auth with secondary storage', async (client) => (await sids()).betterAuthApp(client)],
  ['Auth.js 5 with JWTs', async () => (await seals()).authJsApp()],
  ['Auth.js 5 with the adapter for Redis', async (client) => (await seals()).authJsApp(client)],
  ['next-auth 4 with JWTs', async () => (await seals()).nextAuth4App()],
  ['nextjs-auth0 4', async () => (await seals()).auth0App()],
  ['nextjs-auth0 4 with a store', async (client) => (await seals()).auth0App(client)],
  ['nextjs-auth0 3', async () => (await seals()).auth0Version3App()],
  ['nextjs-auth0 3 with a store', async (client) => (await seals()).auth0Version3App(client)],
  ['iron-session', async () => (await seals()).ironSessionApp()],
]
