/**
 * Resolves the TLS options of a connection: authorities, the client certificate, and the name that the server's certificate must contain.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { type Environment, variable } from '../config/environment.ts'
import { refuse, type Source } from '../config/refusal.ts'
import type { RedisTlsOptions } from './options.ts'
import type { RedisUrl } from './redis-url.ts'
import type { RedisTls } from './target.ts'

const VARIABLES = { ca: 'REDIS_TLS_CA', cert: 'REDIS_TLS_CERT', key: 'REDIS_TLS_KEY' } as const

interface Given {
  readonly pem: string
  readonly source: Source
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID` */
export function resolveTls(
  options: RedisTlsOptions | undefined,
  env: Environment,
  { tls, address }: Pick<RedisUrl, 'tls' | 'address'>,
  root: string,
): RedisTls | null {
  const given = (name: keyof typeof VARIABLES): Given | null => {
    const pem = options?.[name] ?? variable(env, VARIABLES[name])
    if (pem === undefined) return null
    const isOption = options?.[name] !== undefined
    return { pem, source: isOption ? { option: `${root}.tls.${name}` } : { variable: VARIABLES[name] } }
  }
  const [ca, cert, key] = [given('ca'), given('cert'), given('key')]
  if (!tls || 'path' in address) {
    // The operator configured TLS here. A plain connection would silently ignore that.
    const tlsSource = ca?.source ?? cert?.source ?? key?.source ?? (options && { option: `${root}.tls` })
    if (tlsSource) throw refuse(tlsSource, 'is for TLS, and the URL does not begin with rediss://')
    return null
  }
  if ((cert === null) !== (key === null)) {
    throw refuse(
      (cert ?? key)?.source ?? { option: `${root}.tls` },
      'a certificate and its key go together; one is missing',
    )
  }
  return {
    ca:
      ca &&
      read(ca, (pem) => new X509Certificate(pem), 'holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)'),
    cert:
      cert &&
      read(cert, (pem) => new X509Certificate(pem), 'holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)'),
    key: key && read(key, createPrivateKey, 'holds no private key in PEM form without a passphrase'),
    servername: options?.servername ?? (isIP(address.host) === 0 ? address.host : null),
  }
}

function read({ pem, source }: Given, check: (pem: string) => unknown, wrong: string): string {
  const text = pem.includes('-----BEGIN') ? pem.replaceAll('\\n', '\n') : readFile(pem, source)
  try {
    check(text)
  } catch {
    throw refuse(source, wrong)
  }
  return text
}

function readFile(path: string, source: Source): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw refuse(source, `the file cannot be read (${code ?? 'unknown error'})`)
  }
}
