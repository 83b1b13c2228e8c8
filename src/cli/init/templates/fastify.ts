/** Fastify: docs/fastify.md with a page. */
import type { Template, TemplateInput } from '../template.ts'
import { nodeServer } from './node-server.ts'

export function fastify(input: TemplateInput): Template {
  return nodeServer(input, {
    entry: 'coatcheck/fastify',
    factory: 'fastifyAuth',
    packages: ['fastify'],
    server: (imports) => `import fastify from 'fastify'
import { auth, web } from '${imports.auth}'
import { page } from '${imports.page}'

const port = Number(process.env.PORT ?? 3000)
const app = fastify()

app.register(web) // sign-in, sign-out, session and devices, under /auth
app.setErrorHandler(web.errorHandler)

app.get('/', async (request, reply) => {
  const { user } = await web.getSession(request)
  return reply.type('text/html').send(page(user))
})
app.get(
  '/profile',
  web.withUser((_request, _reply, { user }) => user),
)

await auth.ready() // a misconfiguration ends here, and says what to set
await app.listen({ port })
console.log(\`http://localhost:\${port}\`)
`,
  })
}
