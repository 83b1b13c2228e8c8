/** Express 4 and 5: docs/express.md with two pages. */
import type { Template, TemplateInput } from '../template.ts'
import { nodeServer } from './node-server.ts'

/** Express 4 does not await promises. */
const LAST_WITHOUT_PROMISES = 4

export function express(input: TemplateInput): Template {
  const isOld = input.project.majorOf('express') === LAST_WITHOUT_PROMISES
  const first = isOld
    ? `app.get('/', (request, response, next) => {
  web.getSession(request).then(({ user }) => response.send(home(user)), next)
})`
    : `app.get('/', async (request, response) => {
  const { user } = await web.getSession(request)
  response.send(home(user))
})`
  return nodeServer(input, {
    entry: 'coatcheck/express',
    wiring: {
      constructor: /\b(?:const|let|var)\s+(\w+)\s*(?::[^=;]+)?=\s*express\(\s*\)/,
      factory: 'expressAuth',
      mount: 'use',
      errorHandler: (app, web) => ({
        where: 'after the routes, before other error handlers',
        code: `${app}.use(${web}.errorHandler)`,
      }),
    },
    packages: ['express'],
    typePackages: ['@types/express'],
    server: ({ auth, page, start }) => `import express from 'express'
import { auth, web } from '${auth}'
import { home, profile } from '${page}'

const port = Number(process.env.PORT ?? 3000)
const app = express()

app.use(web) // sign-in, sign-out, session and devices, under /auth
${first}
app.get(
  '/profile',
  web.withUser(async (_request, response, { user, session }) => {
    await session.update((data) => {
      data.visits = Number(data.visits ?? 0) + 1
    })
    response.send(profile(user, Number(session.data.visits)))
  }),
)
app.use(web.errorHandler) // last

${start({
  awaited: `app.listen(port, () => console.log(\`http://localhost:\${port}\`))`,
  chained: `.then(() => {
  app.listen(port, () => console.log(\`http://localhost:\${port}\`))
})`,
})}
`,
  })
}
