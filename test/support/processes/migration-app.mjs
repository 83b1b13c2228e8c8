/**
 * One small application on a session library: that of `HOST`, a file of `migration/`. `BUILD=old` has the old package in its usual set-up;
 * `read` and `move` have ours with `migrateFrom` in that mode. `GET /me`, `POST /set`, `/sign-in`, `/sign-out`.
 * Prints `listening <port>`; finishes its requests and ends when its standard input does.
 */
import { createServer } from 'node:http'

const { HOST, BUILD, REDIS_URL, COATCHECK_KEYS, MAX_AGE_MS } = process.env
const { open } = await import(`./migration/${HOST}.mjs`)
const { handler, close } = await open({
  ...{ build: BUILD, url: REDIS_URL, keys: COATCHECK_KEYS, maxAge: Number(MAX_AGE_MS) },
  secret: 'a secret of at least thirty-two characters',
})
const server = createServer(handler)
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`))
process.stdin.resume().on('end', () => server.close(() => close()))
