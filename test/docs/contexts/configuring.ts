/** The scope of blocks with `with: configuring`: the functions of the package, and decisions of the application. */
import { coatcheck, entra, oidc } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'
import { z } from 'zod'

export { coatcheck, entra, oidc, redisStore }

export const schema = z.object({
  visits: z.number().default(0),
  appearance: z.object({ theme: z.string() }).optional(),
})

export async function findOrCreateUser(issuer: string, subject: string): Promise<string> {
  return `${issuer} ${subject}`
}

export async function iamToken(): Promise<string> {
  return 'signed by the cloud'
}
