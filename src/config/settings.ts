/**
 * All settings in one table: option, environment variable, kind, default, and whether the value is a secret. Checks,
 * messages and docs/configuration.md follow this table (a test compares the page with it in both directions).
 * To add a setting: a row here, its field in `types.ts`, its use in a `resolve…` file, its row in the docs.
 */
import * as kinds from './kinds.ts'

/** The place of an option: `coatcheck({…})` itself (empty), a preset, or a store. */
export type SettingRoot =
  | ''
  | 'entra()'
  | 'oidc()'
  | 'redisStore()'
  | 'consumeEvents()'
  | 'memoryStore()'
  | 'msalCachePlugin()'
  | 'CoatcheckStore()'
  | 'CoatcheckAdapter()'
  | 'secondaryStorage()'
  | 'sessionDataStore()'

export interface Setting {
  readonly root: SettingRoot
  /** Path below the root, such as `session.idleTimeout`; `null` for a setting that only the environment has. */
  readonly option: string | null
  /** In the order of their precedence. */
  readonly env: readonly string[]
  readonly kind: kinds.Kind
  /** Text for people. */
  readonly default: string
  /** True: messages do not even describe the value by its digits or length. */
  readonly secret: boolean
}

interface Extra {
  readonly env?: readonly string[]
  readonly secret?: true
}

const azure = (name: string): Extra => ({ env: [`AZURE_AD_${name}`, `AZURE_${name}`] })
const secret: Extra = { secret: true }

/** Options that all drop-in libraries accept. */
const dropIn: readonly Row[] = [
  ['store', kinds.store, 'Redis when `REDIS_URL` is set, else memory outside of production'],
  ['keys', kinds.keys, 'generated at start outside of production, else required', secret],
  ['prefix', kinds.keyPrefix, 'none'],
  ['logger', kinds.logger, 'as for `coatcheck()`'],
]

export const settings: readonly Setting[] = [
  ...table('', [
    ['store', kinds.store, 'Redis when `REDIS_URL` is set, else memory on a loopback base URL'],
    [
      'keys',
      kinds.keys,
      'generated at start on a loopback base URL, else required',
      { env: ['COATCHECK_KEYS'], ...secret },
    ],
    [
      'baseUrl',
      kinds.originUrl,
      '`http://localhost:<PORT>` in development, else required',
      { env: ['COATCHECK_BASE_URL'] },
    ],
    ['localPeers', kinds.networks, 'none', { env: ['COATCHECK_LOCAL_PEERS'] }],
    [null, kinds.port, '3000', { env: ['PORT'] }],
    ['basePath', kinds.basePath, '`/auth`'],
    ['prefix', kinds.keyPrefix, 'none', { env: ['REDIS_PREFIX'] }],
    ['providers', kinds.providers, 'none'],
    ['signIn', kinds.section, 'see below'],
    ['signIn.userId', kinds.functionKind, 'issuer and subject'],
    ['signIn.authorize', kinds.functionKind, 'all users whom the provider signs in'],
    ['signIn.profile', kinds.functionKind, 'name, preferred_username, verified email, tenant and roles when present'],
    ['signIn.carry', kinds.fieldNames, 'none'],
    ['signIn.askAfterSignOut', kinds.flag, '`true`'],
    ['session', kinds.section, 'see below'],
    ['session.preset', kinds.oneOf('aal1', 'aal2', 'aal3'), 'none'],
    ['session.idleTimeout', kinds.lifetime, '`8h`, or that of the preset'],
    ['session.absoluteTimeout', kinds.lifetime, '`24h`, or that of the preset'],
    ['session.schema', kinds.schema, 'none: any JSON object'],
    ['session.schemaVersion', kinds.integer(1, 65_535), '1'],
    ['session.upcasts', kinds.upcasts, 'none'],
    ['session.maxPerUser', kinds.sessionLimit, 'no limit'],
    ['session.maxBytes', kinds.integer(256, 8_388_608), '65,536'],
    ['session.onUnavailable', kinds.oneOf('fail', 'stale', 'anonymous'), '`fail`'],
    ['session.staleFor', kinds.duration, '`60s` with `stale`, else nothing is kept'],
    ['session.cookie', kinds.section, 'see below'],
    ['session.cookie.name', kinds.cookieName, '`coatcheck`'],
    ['session.cookie.sameSite', kinds.oneOf('lax', 'strict'), '`lax`'],
    ['tokens', kinds.section, 'see below'],
    ['tokens.grantLifetime', kinds.lifetime, '`90d`'],
    ['tokens.minValidity', kinds.duration, '`30s`'],
    ['tokens.revokeAtProvider', kinds.flag, '`true`'],
    ['cache', kinds.section, 'see below'],
    ['cache.maxBytes', kinds.integer(0, 17_179_869_184), '33,554,432'],
    ['pages', kinds.section, 'see below'],
    ['pages.name', kinds.displayName, 'none is shown'],
    ['pages.logo', kinds.logo, 'none is shown'],
    ['pages.accentColor', kinds.hexColor, '`#1d5fd0`'],
    ['pages.accentColorDark', kinds.hexColor, '`pages.accentColor` if that is set, else `#7fb0ff`'],
    ['logger', kinds.logger, 'lines of JSON on stderr'],
    [
      null,
      kinds.oneOf('debug', 'info', 'warn', 'error', 'silent'),
      '`warn`; ignored with `logger`',
      { env: ['COATCHECK_LOG'] },
    ],
    [null, kinds.text, 'none; ignored with `logger`', { env: ['DEBUG'] }],
  ]),
  ...table('entra()', [
    ['name', kinds.providerName, '`entra`'],
    ['tenantId', kinds.tenant, 'required', azure('TENANT_ID')],
    ['clientId', kinds.text, 'required', azure('CLIENT_ID')],
    ['clientSecret', kinds.text, 'required, or another credential', { ...azure('CLIENT_SECRET'), ...secret }],
    ['clientCertificate', kinds.pemCertificate, 'none', secret],
    ['clientCertificatePath', kinds.text, 'none', azure('CLIENT_CERTIFICATE_PATH')],
    ['federatedTokenFile', kinds.text, 'none', azure('FEDERATED_TOKEN_FILE')],
    ['cloud', kinds.oneOf('public', 'usgov', 'china'), '`public`'],
    ['allowedTenants', kinds.tenants, 'the tenant; required with `common` and `organizations`'],
    ['scopes', kinds.scopes, '`openid profile email offline_access`; yours are added'],
    ['apiScopes', kinds.scopes, 'none'],
    ['issuer', kinds.httpUrl, 'follows from `cloud` and `tenantId`'],
    ['responseMode', kinds.oneOf('query', 'form_post'), '`query`'],
    ['accountPrompt', kinds.oneOf('select_account', 'login'), '`select_account`'],
    ['clockTolerance', kinds.clockTolerance, '`60s`'],
    ['allowUntypedLogoutTokens', kinds.flag, '`false`'],
  ]),
  ...table('oidc()', [
    ['name', kinds.providerName, 'required'],
    ['issuer', kinds.httpUrl, 'required'],
    ['clientId', kinds.text, 'required'],
    ['clientSecret', kinds.text, 'none: a public client', secret],
    ['clientCertificate', kinds.pemCertificate, 'none', secret],
    ['clientCertificatePath', kinds.text, 'none'],
    ['federatedTokenFile', kinds.text, 'none'],
    ['scopes', kinds.scopes, '`openid profile email offline_access`; yours replace all but `openid`'],
    ['apiScopes', kinds.scopes, 'none'],
    ['responseMode', kinds.oneOf('query', 'form_post'), '`query`'],
    ['accountPrompt', kinds.oneOf('select_account', 'login'), 'what its metadata offer, else `login`'],
    ['endSessionMethod', kinds.oneOf('get', 'post'), '`get`'],
    ['clockTolerance', kinds.clockTolerance, '`60s`'],
    ['allowUntypedLogoutTokens', kinds.flag, '`false`'],
  ]),
  ...table('redisStore()', [
    ['url', kinds.text, 'required', { env: ['REDIS_URL'], ...secret }],
    ['cluster', kinds.clusterNodes, 'no cluster', { env: ['REDIS_CLUSTER'] }],
    ['sentinels', kinds.texts, 'none', { env: ['REDIS_SENTINELS'], ...secret }],
    ['client', kinds.redisClient, 'none: one is made from `url`'],
    ['username', kinds.text, 'none', { env: ['REDIS_USERNAME'] }],
    ['password', kinds.text, 'none', { env: ['REDIS_PASSWORD'], ...secret }],
    ['credentialsProvider', kinds.credentialsProvider, 'none'],
    ['tls', kinds.section, 'the certificates that Node trusts'],
    ['tls.ca', kinds.text, 'the certificates that Node trusts', { env: ['REDIS_TLS_CA'] }],
    ['tls.cert', kinds.text, 'none', { env: ['REDIS_TLS_CERT'] }],
    ['tls.key', kinds.text, 'none', { env: ['REDIS_TLS_KEY'], ...secret }],
    ['tls.servername', kinds.text, 'the host of the URL'],
    ['allowPlaintext', kinds.flag, '`false`', { env: ['REDIS_ALLOW_PLAINTEXT'] }],
    ['commandTimeoutMs', kinds.integer(10, 60_000), '250', { env: ['REDIS_COMMAND_TIMEOUT_MS'] }],
    ['writeTimeoutMs', kinds.integer(10, 60_000), '1,000', { env: ['REDIS_WRITE_TIMEOUT_MS'] }],
    ['durability', kinds.section, 'replication is not waited for'],
    ['durability.replicas', kinds.integer(1, 16), '1'],
    ['durability.timeoutMs', kinds.integer(10, 60_000), '250'],
    ['nearCache', kinds.section, 'off'],
    ['nearCache.maxEntries', kinds.integer(1, 10_000_000), '10,000'],
    ['nearCache.maxStaleMs', kinds.integer(100, 60_000), '2,000'],
    ['eventStream', kinds.section, 'off'],
    ['eventStream.maxLength', kinds.integer(100, 10_000_000), '10,000'],
    ['eventStream.shards', kinds.integer(1, 64), '4'],
    ['connectTimeoutMs', kinds.integer(100, 300_000), '5,000', { env: ['REDIS_CONNECT_TIMEOUT_MS'] }],
    ['maxInFlight', kinds.integer(1, 1_000_000), '10,000'],
  ]),
  ...table('consumeEvents()', [
    ['group', kinds.text, 'required'],
    ['handle', kinds.functionKind, 'required'],
    ['name', kinds.text, 'host, process and chance'],
    ['redis', kinds.storeOptions, 'those of `redisStore()` without options'],
    ['prefix', kinds.keyPrefix, 'as for `coatcheck()`'],
    ['from', kinds.oneOf('now', 'oldest'), '`now`'],
    ['pollMs', kinds.integer(10, 60_000), '500'],
    ['claimAfterMs', kinds.integer(100, 86_400_000), '60,000'],
    ['onError', kinds.functionKind, 'failures are retried without a report'],
  ]),
  ...table('memoryStore()', [
    ['name', kinds.text, '`default`'],
    ['maxBytes', kinds.integer(65_536, 4_294_967_296), '64 MiB'],
  ]),
  ...table('msalCachePlugin()', [
    ['partition', kinds.partition, 'required'],
    ...dropIn,
    ['grantLifetime', kinds.lifetime, '`90d`'],
    ['migrateFrom', kinds.origin('msal', 'msalCache'), 'none'],
  ]),
  ...table('CoatcheckStore()', [
    ...dropIn,
    ['ttl', kinds.dropInLifetime, '`24h`'],
    ['ttlSeconds', kinds.secondsOrFunction, '`ttl`'],
    ['userId', kinds.functionKind, 'sessions belong to no user'],
    ['migrateFrom', kinds.sessionOrigin, 'there are no old sessions'],
  ]),
  ...table('CoatcheckAdapter()', [...dropIn, ['migrateFrom', kinds.origin('auth-js', 'upstashAdapter'), 'none']]),
  ...table('secondaryStorage()', [
    ...dropIn,
    ['migrateFrom', kinds.origin('better-auth', 'betterAuthStorage'), 'none'],
  ]),
  ...table('sessionDataStore()', [
    ...dropIn,
    ['absoluteDuration', kinds.lifetime, '`3d`'],
    ['inactivityDuration', kinds.lifetime, '`1d`'],
    ['rolling', kinds.flag, '`true`'],
    ['migrateFrom', kinds.origin('nextjs-auth0', 'auth0Store'), 'none'],
  ]),
]

/** @throws TypeError for a path that is not in the table: an error in this package, not of a user. */
export function settingOf(root: SettingRoot, option: string): Setting {
  const found = settings.find((s) => s.root === root && s.option === option)
  if (!found) throw new TypeError(`no setting ${root}.${option}`)
  return found
}

export function settingOfVariable(name: string): Setting {
  const found = settings.find((s) => s.env.includes(name))
  if (!found) throw new TypeError(`no setting for the variable ${name}`)
  return found
}

/** Returns the name as users write it: `session.idleTimeout`, `entra().tenantId`. */
export function optionName({ root, option }: Setting): string {
  return [root, option].filter((part) => part !== '' && part !== null).join('.')
}

type Row = readonly [option: string | null, kind: kinds.Kind, defaultText: string, extra?: Extra]

function table(root: SettingRoot, rows: readonly Row[]): Setting[] {
  return rows.map(([option, kind, defaultText, extra]) => ({
    root,
    option,
    kind,
    env: extra?.env ?? [],
    default: defaultText,
    secret: extra?.secret ?? false,
  }))
}
