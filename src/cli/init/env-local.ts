/** `.env.local` contains the settings of the application on this machine. `init` never changes existing lines of it or of `.env`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { DEFAULT_PORT } from '../../config/base-url.ts'
import type { Random } from '../../core/random.ts'
import { safeText } from '../../core/redact.ts'
import type { Project } from '../project/project.ts'
import { UsageError } from '../usage-error.ts'
import type { Choices, ProviderChoice } from './choices.ts'
import { exposedTarget, isTracked } from './git-ignore.ts'
import type { Step } from './step.ts'

const KEY_BYTES = 32

interface Entry {
  readonly name: string
  /** `null`: a placeholder in a comment. */
  readonly value: string | null
}

interface Section {
  readonly comment: string
  readonly entries: readonly Entry[]
}

interface Addition {
  /** Text to append; empty if no setting is missing. */
  readonly text: string
  /** Names of the settings that get a value. */
  readonly settings: readonly string[]
  /** Names of the settings that are commented out. */
  readonly placeholders: readonly string[]
}

/** @throws {UsageError} if git tracks the file and settings must be added to it */
export function settingsStep(project: Project, choices: Choices, random: Random): Step[] {
  const { folder } = project
  const path = '.env.local'
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
  const { text, ...names } = missingSettings(
    choices,
    [path, '.env'].filter((file) => project.has(file)).map(read),
    random,
  )
  if (text === '') return [{ path, action: 'same', text }]
  if (isTracked(folder)) {
    throw new UsageError(
      `git tracks ${path} and would commit the key that belongs into it. Nothing was written. Remove it from git; the file itself stays: git rm --cached ${path}`,
    )
  }
  const exposed = exposedTarget(folder)
  if (exposed !== null) {
    throw new UsageError(
      `${path} is a link to ${safeText(exposed)}, and git does not ignore that file. Nothing was written. Add it to .gitignore, or replace the link by a file.`,
    )
  }
  if (!project.has(path)) return [{ path, action: 'create', text, ...names }]
  const before = read(path).endsWith('\n') ? '\n' : '\n\n'
  return [{ path, action: 'append', text: before + text, ...names }]
}

/**
 * Returns the missing settings. Each call generates another key.
 * @param existing the texts of `.env.local` and `.env`; empty if there is none
 */
function missingSettings(choices: Choices, existing: readonly string[], random: Random): Addition {
  const isThere = (name: string): boolean =>
    existing.some((text) => parseEnv(text)[name] !== undefined || new RegExp(`^\\s*#\\s*${name}\\s*=`, 'm').test(text))
  const parts: string[] = []
  const added: Entry[] = []
  for (const { comment, entries } of sectionsOf(choices, random)) {
    const missing = entries.filter(({ name }) => !isThere(name))
    if (missing.length === 0) continue
    added.push(...missing)
    parts.push(`# ${comment}\n${missing.map(lineOf).join('')}`)
  }
  const namesOf = (entries: readonly Entry[]): string[] => entries.map(({ name }) => name)
  return {
    text: parts.join('\n'),
    settings: namesOf(added.filter(({ value }) => value !== null)),
    placeholders: namesOf(added.filter(({ value }) => value === null)),
  }
}

function lineOf({ name, value }: Entry): string {
  return value === null ? `# ${name}=\n` : `${name}=${value}\n`
}

function sectionsOf({ redisUrl, provider }: Choices, random: Random): readonly Section[] {
  return [
    {
      comment: 'Encrypts what is stored in Redis. Each environment has its own key: npx coatcheck secret',
      entries: [{ name: 'COATCHECK_KEYS', value: random.bytes(KEY_BYTES).toString('base64') }],
    },
    {
      comment: 'Where sessions and tokens are stored. Without a URL: in memory, on localhost only.',
      entries: [
        { name: 'REDIS_URL', value: redisUrl },
        { name: 'REDIS_PASSWORD', value: null },
      ],
    },
    {
      comment: 'The origin that browsers see: https, except on localhost.',
      entries: [{ name: 'COATCHECK_BASE_URL', value: `http://localhost:${DEFAULT_PORT}` }],
    },
    ...PROVIDER_SECTIONS[provider],
  ]
}

const placeholders = (...names: readonly string[]): readonly Entry[] => names.map((name) => ({ name, value: null }))
const REDIRECT = 'Redirect URI: <base URL>/auth/callback. coatcheck dev sets its own.'

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
