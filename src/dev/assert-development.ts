/** Guards every module of this folder: a provider that signs in any user on a click must never run in production. */
import { ConfigError } from '../core/errors.ts'

/** @throws `COATCHECK_CONFIG_INSECURE` when NODE_ENV is `production` */
export function assertDevelopment(what: string): void {
  if (process.env.NODE_ENV === 'production') {
    throw new ConfigError('COATCHECK_CONFIG_INSECURE', {
      message: `${what} signs any visitor in with one click and never starts with NODE_ENV=production.`,
      fix: 'In production, give coatcheck() a real provider. On your own machine, set NODE_ENV to development or leave it unset.',
    })
  }
}
