/** Hono on Node: docs/hono.md with a page. */
import type { Template, TemplateInput } from '../template.ts'
import { nodeServer } from './node-server.ts'

export function hono(input: TemplateInput): Template {
  return nodeServer(input, {
    entry: 'coatcheck/hono',
    factory: 'honoAuth',
    packages: ['hono', '@hono/node-server'],
    server: (imports) => `import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { auth, web } from '${imports.auth}'
import { page } from '${imports.page}'

const port = Number(process.env.PORT ?? 3000)
const app = new Hono()

app.use(web) // in front of everything that asks; sign-in, sign-out, session and devices, under /auth
app.onError(web.errorHandler)

app.get('/', async (context) => {
  const { user } = await web.getSession(context)
  return context.html(page(user))
})
app.get(
  '/profile',
  web.withUser((context, { user }) => context.json(user)),
)

await auth.ready() // a misconfiguration ends here, and says what to set
serve({ fetch: app.fetch, port }, () => console.log(\`http://localhost:\${port}\`))
`,
  })
}
