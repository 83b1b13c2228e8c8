/** Errors of the configuration and of the keys: the process cannot start, or cannot open a record. */
import type { CatalogueEntry } from './catalogue-entry.ts'

const config = { family: 'config', retryable: false, status: 500 } as const
const keyring = { family: 'keyring', retryable: false, status: 500 } as const

export const configErrors = {
  COATCHECK_CONFIG_INVALID: {
    ...config,
    why: 'An option or environment variable has a value that cannot be used.',
    fix: 'Give the option or variable that the message names a value of the kind that it asks for.',
    isGeneral: true,
  },
  COATCHECK_CONFIG_UNKNOWN_OPTION: {
    ...config,
    why: 'An option of this name does not exist, so it would have no effect.',
    fix: 'Correct the spelling or remove it; docs/configuration.md lists all options.',
  },
  COATCHECK_CONFIG_MISSING: {
    ...config,
    why: 'A setting that is needed here has no value in the options or the environment.',
    fix: 'Set the option or the environment variable that the message names.',
    isGeneral: true,
  },
  COATCHECK_CONFIG_INSECURE: {
    ...config,
    why: 'The setting would be unsafe outside of local development.',
    fix: 'Use https, or a loopback address for development.',
  },
  COATCHECK_STORE_REQUIRED: {
    ...config,
    why: 'Sessions in the memory of one process are lost on restart and not shared between instances.',
    fix: 'Set REDIS_URL. The memory store is for development on a loopback base URL only.',
  },
  COATCHECK_REDIS_PACKAGE_MISSING: {
    ...config,
    why: 'The package "redis" is not installed.',
    fix: 'Install it in the application: npm install redis',
  },
} as const satisfies Record<string, CatalogueEntry>

export const keyringErrors = {
  COATCHECK_KEY_UNKNOWN: {
    ...keyring,
    why: 'A record is sealed with a key that is not in COATCHECK_KEYS.',
    fix: 'Put the retired key back behind the first one until its records have expired.',
  },
  COATCHECK_KEY_INVALID: {
    ...keyring,
    why: 'An entry of COATCHECK_KEYS is not 32 bytes of base64, or appears twice.',
    fix: 'Make a key with: npx coatcheck secret',
  },
} as const satisfies Record<string, CatalogueEntry>
