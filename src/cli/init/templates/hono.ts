/** Hono 4 on Node: docs/hono.md with two pages. */
import type { Template, TemplateInput } from '../template.ts'
import { nodeServer } from './node-server.ts'

export function hono(input: TemplateInput): Template {
  return nodeServer(input, {
    entry: 'coatcheck/hono',
    wiring: {
      constructor: /\b(?:const|let|var)\s+(\w+)\s*(?::[^=;]+)?=\s*new\s+(?:OpenAPI)?Hono(?:<[^()]*>)?\(/,
      factory: 'honoAuth',
      mount: 'use',
      errorHandler: (app, web) => ({ where: 'before the routes', code: `${app}.onError(${web}.errorHandler)` }),
      ownErrorHandler: {
        pattern: /\.onError\(/,
        line: (web) => ({
          where: 'first in your error handler, with its parameters: other errors are thrown again',
          code: `try {\n  return ${web}.errorHandler(error, context)\n} catch {}`,
        }),
      },
    },
    packages: ['hono', '@hono/node-server'],
    server: ({ auth, page, start }) => `import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { auth, web } from '${auth}'
import { home, profile } from '${page}'

const port = Number(process.env.PORT ?? 3000)
const app = new Hono()

app.use(web) // first; it also answers sign-in, sign-out, session and devices, under /auth
app.onError(web.errorHandler)

app.get('/', async (context) => {
  const { user } = await web.getSession(context)
  return context.html(home(user))
})
app.get(
  '/profile',
  web.withUser(async (context, { user, session }) => {
    await session.update((data) => {
      data.visits = Number(data.visits ?? 0) + 1
    })
    return context.html(profile(user, Number(session.data.visits)))
  }),
)

${start({
  awaited: `serve({ fetch: app.fetch, port }, () => console.log(\`http://localhost:\${port}\`))`,
  chained: `.then(() => {
  serve({ fetch: app.fetch, port }, () => console.log(\`http://localhost:\${port}\`))
})`,
})}
`,
  })
}
