/**
 * A process of the fixture application. It loads the compiled modules, then runs the steps that its parent names, one at a time, with the
 * application's own client, and reports what the program saw.
 */
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { encode } from './encode.mjs'

const [, , clientPath, ...modulePaths] = process.argv
const load = (path) =>
  /\.m[jt]s$/.test(path) ? import(pathToFileURL(path).href) : createRequire(import.meta.url)(path)

const unhandled = []
process.on('unhandledRejection', (reason) => unhandled.push(encode(reason)))

const steps = new Map()
const application = await load(clientPath)
for (const path of modulePaths) {
  for (const [name, step] of Object.entries(await load(path))) {
    if (typeof step === 'function' && /^[a-z]/.test(name) && name !== 'createServices')
      steps.set(`${basename(path).replace(/\.[mc]?js$/, '')}: ${name}`, step)
  }
}

process.on('message', async ({ run }) => {
  if (run === undefined) {
    await application.shutdown()
    process.disconnect()
    return
  }
  unhandled.length = 0
  const outcome = await Promise.resolve()
    .then(() => steps.get(run)(application.redis))
    .then(
      (value) => ({ value: encode(value) }),
      (error) => ({ rejected: encode(error) }),
    )
  await new Promise((resolve) => setImmediate(resolve))
  process.send({ outcome: unhandled.length > 0 ? { ...outcome, unhandled: [...unhandled] } : outcome })
})

process.send({ steps: [...steps.keys()] })
