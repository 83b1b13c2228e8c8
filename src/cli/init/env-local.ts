/** `.env.local`: what the application is configured with here. What stands in it, or in `.env`, is never touched. */
import { parseEnv } from 'node:util'
import type { Random } from '../../core/random.ts'
import type { Choices, ProviderChoice } from './choices.ts'

const KEY_BYTES = 32

interface Entry {
  readonly name: string
  /** `null`: a placeholder behind a comment sign. */
  readonly value: string | null
}

interface Section {
  readonly comment: string
  readonly entries: readonly Entry[]
}

export interface EnvAddition {
  /** To be put behind what is there; empty when nothing is missing. */
  readonly text: string
  /** Without values. */
  readonly names: readonly string[]
}

/**
 * What is missing. The key is drawn with each call.
 * @param existing of `.env.local` and `.env`; empty when there is none
 */
export function missingSettings(choices: Choices, existing: readonly string[], random: Random): EnvAddition {
  const isThere = (name: string): boolean =>
    existing.some((text) => parseEnv(text)[name] !== undefined || new RegExp(`^\\s*#\\s*${name}\\s*=`, 'm').test(text))
  const parts: string[] = []
  const names: string[] = []
  for (const { comment, entries } of sectionsOf(choices, random)) {
    const missing = entries.filter(({ name }) => !isThere(name))
    if (missing.length === 0) continue
    names.push(...missing.map(({ name }) => name))
    parts.push(`# ${comment}\n${missing.map(lineOf).join('')}`)
  }
  return { text: parts.join('\n'), names }
}

function lineOf({ name, value }: Entry): string {
  return value === null ? `# ${name}=\n` : `${name}=${value}\n`
}

function sectionsOf({ redisUrl, provider }: Choices, random: Random): readonly Section[] {
  return [
    {
      comment: 'Seals what lies in Redis. Every place has its own: npx coatcheck secret',
      entries: [{ name: 'COATCHECK_KEYS', value: random.bytes(KEY_BYTES).toString('base64') }],
    },
    {
      comment: 'Where sessions and tokens live. Without a URL: in memory, on localhost only.',
      entries: [
        { name: 'REDIS_URL', value: redisUrl },
        { name: 'REDIS_PASSWORD', value: null },
      ],
    },
    {
      comment: 'The origin that browsers see, https. On localhost it follows from PORT.',
      entries: [{ name: 'COATCHECK_BASE_URL', value: null }],
    },
    ...PROVIDER_SECTIONS[provider],
  ]
}

const placeholders = (...names: readonly string[]): readonly Entry[] => names.map((name) => ({ name, value: null }))
const REDIRECT = 'Redirect URI: <base URL>/auth/callback. coatcheck dev brings its own.'

const PROVIDER_SECTIONS: Readonly<Record<ProviderChoice, readonly Section[]>> = {
  entra: [
    {
      comment: `The application in Microsoft Entra ID. ${REDIRECT}`,
      entries: placeholders('AZURE_AD_TENANT_ID', 'AZURE_AD_CLIENT_ID', 'AZURE_AD_CLIENT_SECRET'),
    },
  ],
  oidc: [
    {
      comment: `The application at the OpenID Connect provider. ${REDIRECT}`,
      entries: placeholders('OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'),
    },
  ],
  dev: [],
}
