/** Express: docs/express.md with a page. */
import type { Template, TemplateInput } from '../template.ts'
import { nodeServer } from './node-server.ts'

/** Express 4 does not wait for promises. */
const LAST_WITHOUT_PROMISES = 4

export function express(input: TemplateInput): Template {
  const isOld = input.project.majorOf('express') === LAST_WITHOUT_PROMISES
  const first = isOld
    ? `app.get('/', (request, response, next) => {
  web.getSession(request).then(({ user }) => response.send(page(user)), next)
})`
    : `app.get('/', async (request, response) => {
  const { user } = await web.getSession(request)
  response.send(page(user))
})`
  return nodeServer(input, {
    entry: 'coatcheck/express',
    factory: 'expressAuth',
    packages: ['express'],
    server: (imports) => `import express from 'express'
import { auth, web } from '${imports.auth}'
import { page } from '${imports.page}'

const port = Number(process.env.PORT ?? 3000)
const app = express()

app.use(web) // sign-in, sign-out, session and devices, under /auth
${first}
app.get(
  '/profile',
  web.withUser((_request, response, { user }) => response.json(user)),
)
app.use(web.errorHandler) // last

await auth.ready() // a misconfiguration ends here, and says what to set
app.listen(port, () => console.log(\`http://localhost:\${port}\`))
`,
  })
}
