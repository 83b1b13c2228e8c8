/**
 * Resolves the application registration of `entra()`: tenant, client id and one credential, from the options and from one group of
 * environment variables. A group that completes the options is used as a whole. If no group does, the group with the most values
 * decides which variable the error names, because the user most likely meant that group.
 */
import { ConfigError } from '../core/errors.ts'
import { type CredentialField, credentialFields, credentialOf, firstCredential } from './client-credential.ts'
import { checkedVariable, type Environment, type Group, readGroups } from './environment.ts'
import { TENANT_TEMPLATE } from './entra-authority.ts'
import { unreadFileTexts } from './unread-env-file.ts'
import type { ClientCredential, ProviderOptions, ProviderSettings } from './types.ts'

type Field = 'tenantId' | 'clientId' | CredentialField
/** The parts of a registration, in the order in which messages name them. */
type Part = 'tenantId' | 'clientId' | 'credential'

const GROUPS = ['AZURE_AD', 'AZURE'].map((prefix) => ({
  tenantId: `${prefix}_TENANT_ID`,
  clientId: `${prefix}_CLIENT_ID`,
  clientSecret: `${prefix}_CLIENT_SECRET`,
  clientCertificatePath: `${prefix}_CLIENT_CERTIFICATE_PATH`,
  federatedTokenFile: `${prefix}_FEDERATED_TOKEN_FILE`,
}))
const CREDENTIALS = ['clientSecret', 'clientCertificatePath', 'federatedTokenFile'] as const

export interface EntraRegistration {
  readonly tenantId: string
  readonly clientId: string
  readonly credential: ClientCredential
  readonly settings: ProviderSettings
}

/** @throws {ConfigError} `COATCHECK_CONFIG_MISSING`, `COATCHECK_CONFIG_INVALID` */
export function entraRegistration(options: ProviderOptions, env: Environment): EntraRegistration {
  const own = {
    // If the options name an issuer, it contains the tenant.
    tenantId: options.tenantId ?? (isTenantAsked(options.issuer) ? undefined : 'common'),
    clientId: options.clientId,
    credential: credentialOf('entra()', options),
  }
  const groups = readGroups<Field>(env, GROUPS)
  const candidates = groups.filter(({ values }) => isOfClient(values.clientId, own.clientId))
  const missing = (group: Group<Field> | undefined): readonly Part[] =>
    (['tenantId', 'clientId', 'credential'] as const).filter((part) => !own[part] && !hasPart(group, part))
  const complete = candidates.find((group) => missing(group).length === 0)
  if (complete === undefined && missing(undefined).length > 0) {
    throw incomplete(groups, candidates, missing)
  }
  const value = (field: 'tenantId' | 'clientId'): string =>
    own[field] ?? (complete && checkedVariable(env, complete.names[field])) ?? ''
  const nameOf = (field: Field, isOwn: boolean): string =>
    isOwn || complete === undefined ? `option entra().${field}` : complete.names[field]
  const field = credentialFields.find(
    (name) => (own.credential ? options : complete?.values)?.[name as CredentialField],
  )
  return {
    tenantId: value('tenantId'),
    clientId: value('clientId'),
    credential: own.credential ?? firstCredential(complete?.values ?? {}) ?? { kind: 'none' },
    settings: {
      authority: isTenantAsked(options.issuer) ? nameOf('tenantId', Boolean(own.tenantId)) : 'option entra().issuer',
      clientId: nameOf('clientId', own.clientId !== undefined),
      credential: nameOf((field ?? 'clientSecret') as Field, own.credential !== null),
    },
  }
}

/** A custom issuer may leave the tenant open. */
function isTenantAsked(issuer: string | undefined): boolean {
  return issuer === undefined || issuer.includes(TENANT_TEMPLATE)
}

/** A group that names another client belongs to another application: workload identity injects `AZURE_CLIENT_ID`. */
function isOfClient(inGroup: string | undefined, given: string | undefined): boolean {
  return given === undefined || inGroup === undefined || inGroup === given
}

function hasPart(group: Group<Field> | undefined, part: Part): boolean {
  const values = group?.values ?? {}
  if (part !== 'credential') return values[part] !== undefined
  return credentialFields.some((field) => values[field as CredentialField] !== undefined)
}

/** Returns the fullest group. If two are equal, it returns the first, which messages also name when no variable is set. */
function fullest(groups: readonly Group<Field>[]): Group<Field> | undefined {
  const filled = (group: Group<Field>): number =>
    (['tenantId', 'clientId', 'credential'] as const).filter((part) => hasPart(group, part)).length
  return [...groups].sort((a, b) => filled(b) - filled(a))[0]
}

function incomplete(
  groups: readonly Group<Field>[],
  candidates: readonly Group<Field>[],
  missing: (group: Group<Field> | undefined) => readonly Part[],
): ConfigError {
  const chosen = fullest(candidates)
  const absent = missing(chosen)
  const { names, values } = chosen ?? { names: groups[0]?.names ?? GROUPS[0], values: {} }
  const variableOf = (part: Part): string => names?.[part === 'credential' ? 'clientSecret' : part] ?? ''
  const set = Object.keys(values).map((field) => names?.[field as Field] ?? '')
  const [first = 'credential'] = absent
  const isOther = groups.some((group) => !candidates.includes(group))
  const alternatives = absent.includes('credential')
    ? ` ${
        names === undefined
          ? ''
          : CREDENTIALS.slice(1)
              .map((field) => names[field])
              .join(' or ')
      } can replace the secret.`
    : ''
  const development = absent.length === 3 ? ' In development, npx coatcheck dev needs none of them.' : ''
  return new ConfigError('COATCHECK_CONFIG_MISSING', {
    message: `entra() has no ${listed(absent.map((part) => PARTS[part]))}: ${listed(absent.map(variableOf))} ${
      absent.length === 1 ? 'is' : 'are'
    } not set.`,
    why: whyOf(set, isOther),
    fix: `Set ${listed(absent.map(variableOf))}, or give ${listed(absent.map(optionOf))}.${alternatives}${development}`,
    ...unreadFileTexts(absent.map(variableOf)),
    details: { option: optionOf(first), variable: variableOf(first) },
  })
}

const PARTS: Readonly<Record<Part, string>> = {
  tenantId: 'tenant id',
  clientId: 'client id',
  credential: 'client secret or other credential',
}

/** @param isOther a group was ignored, because it names another client id than the options */
function whyOf(set: readonly string[], isOther: boolean): string {
  if (set.length > 0) {
    return `${listed(set)} ${set.length === 1 ? 'is' : 'are'} set, and Coatcheck never mixes AZURE_AD_* and AZURE_* variables.`
  }
  return isOther
    ? 'The variables that are set name another client id than entra({ clientId }), so they are not used.'
    : 'Neither the variables AZURE_AD_* nor AZURE_* nor the options of entra() hold it.'
}

function optionOf(part: Part): string {
  return `entra().${part === 'credential' ? 'clientSecret' : part}`
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`
}
