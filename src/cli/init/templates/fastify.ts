/** Fastify 5: docs/fastify.md with two pages. */
import type { Template, TemplateInput } from '../template.ts'
import { nodeServer } from './node-server.ts'

export function fastify(input: TemplateInput): Template {
  return nodeServer(input, {
    entry: 'coatcheck/fastify',
    wiring: {
      constructor:
        /\b(?:const|let|var)\s+(\w+)\s*(?::[^=;]+)?=\s*(?:fastify|Fastify|require\(\s*['"]fastify['"]\s*\))(?:<[^()]*>)?\(/,
      factory: 'fastifyAuth',
      mount: 'register',
      errorHandler: (app, web) => ({ where: 'before the routes', code: `${app}.setErrorHandler(${web}.errorHandler)` }),
      ownErrorHandler: {
        pattern: /\.setErrorHandler\(/,
        line: (web) => ({
          where: 'first in your error handler, with its parameters: other errors are thrown again',
          code: `try {\n  return ${web}.errorHandler(error, request, reply)\n} catch {}`,
        }),
      },
    },
    packages: ['fastify'],
    server: ({ auth, page, start }) => `import fastify from 'fastify'
import { auth, web } from '${auth}'
import { home, profile } from '${page}'

const port = Number(process.env.PORT ?? 3000)
const app = fastify()

app.register(web) // sign-in, sign-out, session and devices, under /auth
app.setErrorHandler(web.errorHandler)

app.get('/', async (request, reply) => {
  const { user } = await web.getSession(request)
  return reply.type('text/html').send(home(user))
})
app.get(
  '/profile',
  web.withUser(async (_request, reply, { user, session }) => {
    await session.update((data) => {
      data.visits = Number(data.visits ?? 0) + 1
    })
    return reply.type('text/html').send(profile(user, Number(session.data.visits)))
  }),
)

${start({
  awaited: `await app.listen({ port })
console.log(\`http://localhost:\${port}\`)`,
  chained: `
  .then(() => app.listen({ port }))
  .then(() => console.log(\`http://localhost:\${port}\`))`,
})}
`,
  })
}
