/** Settings that are missing, misspelled or of the wrong kind. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coatcheck } from '../../../src/app/coatcheck.ts'
import { memoryStore } from '../../../src/stores/memory/memory-store.ts'
import { entra } from '../../../src/oidc/entra.ts'
import type { Mistake } from '../mistake.ts'
import { entraFrom } from '../world.ts'

const PUBLIC = 'https://app.example.com'

/** Each with the two others set. */
const registration = (
  [
    ['client secret', 'AZURE_AD_CLIENT_SECRET', 'AZURE_AD_TENANT_ID and AZURE_AD_CLIENT_ID'],
    ['tenant id', 'AZURE_AD_TENANT_ID', 'AZURE_AD_CLIENT_ID and AZURE_AD_CLIENT_SECRET'],
    ['client id', 'AZURE_AD_CLIENT_ID', 'AZURE_AD_TENANT_ID and AZURE_AD_CLIENT_SECRET'],
  ] as const
).map(([what, variable, others]): Mistake => ({
  title: `The ${what} is missing`,
  sample: `${variable}=`,
  make: (world) => world.start(world.options({ providers: [entraFrom(world, { [variable]: '' })] })),
  code: 'COATCHECK_CONFIG_MISSING',
  what: new RegExp(`entra\\(\\) has no ${what}.*: ${variable} is not set`),
  why: new RegExp(`^${others} are set`),
  fix: new RegExp(`^Set ${variable}, or give entra\\(\\)\\.`),
}))

const keys = (
  [
    ['is a word', 'COATCHECK_KEYS=supersecretpassword', 'supersecretpassword', /it decodes to 14 bytes/],
    ['is too short', 'openssl rand -base64 16', randomBytes(16).toString('base64'), /it decodes to 16 bytes/],
    ['is hexadecimal', 'openssl rand -hex 32', randomBytes(32).toString('hex'), /it is written in hexadecimal/],
  ] as const
).map(([title, sample, value, what]): Mistake => ({
  title: `The encryption key ${title}`,
  sample,
  make(world) {
    world.setVariables({ COATCHECK_KEYS: value })
    return world.start(world.options({ keys: undefined }))
  },
  code: 'COATCHECK_KEY_INVALID',
  what,
  why: /not 32 bytes of base64/,
  fix: /^Make a key with: npx coatcheck secret/,
}))

export const configurationMistakes: readonly Mistake[] = [
  ...registration,
  {
    title: 'The settings stand in .env.local, and Node is started without it',
    sample: 'node app.js',
    make(world) {
      const names = ['AZURE_AD_TENANT_ID', 'AZURE_AD_CLIENT_ID', 'AZURE_AD_CLIENT_SECRET']
      writeFileSync(join(world.folder(), '.env.local'), names.map((name) => `${name}=x\n`).join(''))
      return world.start(world.options({ providers: [entra()] }))
    },
    code: 'COATCHECK_CONFIG_MISSING',
    what: /AZURE_AD_TENANT_ID, AZURE_AD_CLIENT_ID and AZURE_AD_CLIENT_SECRET are not set/,
    why: /in \.env\.local, which Node does not read by itself/,
    fix: /^Start the program with node --env-file=\.env\.local/,
  },
  {
    title: 'No base URL in production',
    sample: 'NODE_ENV=production node app.js',
    make(world) {
      world.setVariables({ NODE_ENV: 'production' })
      return world.start(world.options({ baseUrl: undefined }))
    },
    code: 'COATCHECK_CONFIG_MISSING',
    what: /COATCHECK_BASE_URL\) has no value/,
    why: /NODE_ENV is production/,
    fix: /^Set COATCHECK_BASE_URL to the origin/,
  },
  {
    title: 'No base URL on a server without NODE_ENV',
    sample: 'COATCHECK_BASE_URL=',
    make: (world) => world.start(world.options({ baseUrl: undefined })),
    code: 'COATCHECK_CONFIG_MISSING',
    what: /COATCHECK_BASE_URL\) has no value/,
    why: /Redis and keys are configured and NODE_ENV is not set, so this may be a public host/,
    fix: /^Set COATCHECK_BASE_URL to the origin.*NODE_ENV=development/,
  },
  {
    title: 'The base URL in production begins with http://',
    sample: 'COATCHECK_BASE_URL=http://app.example.com',
    make(world) {
      world.setVariables({ COATCHECK_BASE_URL: 'http://app.example.com' })
      return world.start(world.options({ baseUrl: undefined }))
    },
    code: 'COATCHECK_CONFIG_INSECURE',
    what: /COATCHECK_BASE_URL\) is http:\/\/app\.example\.com\/: plain http is for loopback addresses only/,
    why: /unsafe outside of local development/,
    fix: /^Set COATCHECK_BASE_URL to https:\/\/app\.example\.com/,
  },
  {
    title: 'No encryption key in production',
    sample: 'COATCHECK_KEYS=',
    make: (world) => world.start(world.options({ baseUrl: PUBLIC, keys: undefined })),
    code: 'COATCHECK_CONFIG_MISSING',
    what: /COATCHECK_KEYS\) has no value/,
    why: /loopback base URL only, and the base URL is https:\/\/app\.example\.com/,
    fix: /^Make a key with `npx coatcheck secret`, and set it as COATCHECK_KEYS/,
  },
  ...keys,
  {
    title: 'An option is misspelled',
    sample: "coatcheck({ session: { idleTimout: '8h' } })",
    make: () => coatcheck({ session: { idleTimout: '8h' } } as never),
    code: 'COATCHECK_CONFIG_UNKNOWN_OPTION',
    what: /Unknown option session\.idleTimout\. Did you mean session\.idleTimeout\?/,
    why: /would have no effect/,
    fix: /^Correct the spelling or remove it; docs\/configuration\.md/,
  },
  {
    title: 'A lifetime has a unit that is not known',
    sample: "coatcheck({ session: { idleTimeout: '30 minutes' } })",
    make: () => coatcheck({ session: { idleTimeout: '30 minutes' } }),
    code: 'COATCHECK_CONFIG_INVALID',
    what: /session\.idleTimeout: got "30 minutes"/,
    why: /value that cannot be used/,
    fix: /^Set option session\.idleTimeout to a duration with a unit such as '8h' or '30 min'/,
  },
  {
    title: 'A lifetime is given in seconds',
    sample: 'coatcheck({ session: { absoluteTimeout: 86400 } })',
    make: () => coatcheck({ session: { absoluteTimeout: 86400 } }),
    code: 'COATCHECK_CONFIG_INVALID',
    what: /session\.absoluteTimeout: got 86400/,
    why: /One below an hour is most likely meant in seconds/,
    fix: /^Set option session\.absoluteTimeout to a duration with a unit/,
  },
  {
    title: 'The memory store in production',
    sample: 'coatcheck({ store: memoryStore() })',
    make: (world) => world.start(world.options({ baseUrl: PUBLIC, store: memoryStore() })),
    code: 'COATCHECK_STORE_REQUIRED',
    what: /Option store is memoryStore\(\), and the base URL https:\/\/app\.example\.com/,
    why: /lost on restart and not shared between instances/,
    fix: /^Set REDIS_URL\./,
  },
  {
    title: 'REDIS_URL was forgotten in production',
    sample: 'REDIS_URL=',
    make: (world) => world.start(world.options({ baseUrl: PUBLIC, store: undefined })),
    code: 'COATCHECK_STORE_REQUIRED',
    what: /Neither option store nor environment variable REDIS_URL is set/,
    why: /lost on restart and not shared between instances/,
    fix: /^Set REDIS_URL\./,
  },
]
