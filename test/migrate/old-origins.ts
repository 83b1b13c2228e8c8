/** All old applications that the tests of the bridges run with. */
import type { createClient } from 'redis'
import type { OldApp } from './old-apps.ts'
import { auth0App, auth0Version3App, authJsApp, ironSessionApp, nextAuth4App } from './old-sealed-apps.ts'
import { betterAuthApp, expressSessionApp, fastifySessionApp } from './old-sid-apps.ts'

type Client = ReturnType<typeof createClient>

export const makers: readonly (readonly [string, (client: Client) => OldApp | Promise<OldApp>])[] = [
  ['express-session with connect-redis', expressSessionApp],
  ['@fastify/session with connect-redis', (client) => fastifySessionApp(client)],
  ['@fastify/session with the prefix of express-session', (client) => fastifySessionApp(client, 's:')],
  ['better-auth with secondary storage', betterAuthApp],
  ['Auth.js 5 with JWTs', () => authJsApp()],
  ['Auth.js 5 with the adapter for Redis', (client) => authJsApp(client)],
  ['next-auth 4 with JWTs', nextAuth4App],
  ['nextjs-auth0 4', () => auth0App()],
  ['nextjs-auth0 4 with a store', (client) => auth0App(client)],
  ['nextjs-auth0 3', () => auth0Version3App()],
  ['nextjs-auth0 3 with a store', (client) => auth0Version3App(client)],
  ['iron-session', ironSessionApp],
]
