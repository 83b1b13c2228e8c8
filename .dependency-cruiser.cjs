/**
 * The layers of ARCHITECTURE.md as a machine reads them. Arrows point one way; the table says what a folder may import.
 * A folder that is missing from the table may import nothing of ours, so a new folder has to be placed on purpose.
 */
const DOMAIN = ['documents', 'session', 'token', 'oidc']
const BASE = ['keyring', 'config', 'core']
const LAYERS = {
  core: [],
  config: ['core'],
  keyring: ['core'],
  telemetry: ['core'],
  // The connection. It knows no session and no token.
  redis: ['config', 'core'],
  // The domain. It names the ports that it needs, and no technology.
  documents: BASE,
  session: BASE,
  token: BASE,
  oidc: ['session', 'token', ...BASE],
  http: ['oidc', 'session', 'token', ...BASE],
  adapters: ['http', 'oidc', 'session', 'token', 'config', 'core'],
  'drop-ins': ['http', 'oidc', 'session', 'token', 'documents', 'core'],
  migrate: ['drop-ins', 'http', 'documents', 'session', 'token', 'keyring', 'core'],
  stores: [...DOMAIN, 'migrate', 'redis', ...BASE],
  admin: [...DOMAIN, 'migrate', 'stores', 'redis', ...BASE],
  // Puts the parts together, and chooses a store.
  app: ['adapters', 'drop-ins', 'http', ...DOMAIN, 'migrate', 'stores', 'telemetry', 'admin', 'redis', ...BASE],
  cli: ['admin', 'dev', 'migrate', 'config', 'core'],
  dev: ['core'],
  testing: ['app', 'adapters', 'drop-ins', 'http', ...DOMAIN, 'migrate', 'stores', 'redis', ...BASE],
  entries: [
    'app',
    'adapters',
    'drop-ins',
    'http',
    ...DOMAIN,
    'migrate',
    'stores',
    'telemetry',
    'admin',
    'dev',
    'testing',
    'redis',
    ...BASE,
  ],
}

/** Files that a layer may load besides. */
const BESIDES = {
  // The command line opens what the application opens, through the entry for operators.
  cli: ['entries/admin'],
  // The proxy through which `coatcheck dev` lets its Redis fail.
  dev: ['testing/fault-proxy'],
}

/** Files that hold a port and nothing else. Every layer may name its types; none loads it at run time. */
const PORTS = '^src/(stores/store|migrate/cookie-bridge)\\.ts$'

/** The packages that only some may load, since they are optional or the business of one place. */
const PACKAGES = {
  redis: '^src/redis/',
  express: '^src/adapters/express\\.ts$',
  fastify: '^src/adapters/fastify\\.ts$',
  hono: '^src/adapters/hono\\.ts$',
  next: '^src/adapters/next(/|\\.ts$)',
  'oidc-provider': '^src/dev/',
  'openid-client': '^src/oidc/',
  cockatiel: '^src/redis/',
  cookie: '^src/http/',
  bowser: '^src/http/',
  commander: '^src/cli/',
  '@clack/prompts': '^src/cli/',
  'cli-table3': '^src/cli/',
  diff: '^src/cli/',
  jiti: '^src/cli/',
  'ts-morph': '^src/migrate/ioredis/',
  'prom-client': '^src/telemetry/prometheus-metrics\\.ts$',
  '@opentelemetry/api': '^src/telemetry/otel[^/]*\\.ts$',
}

const TEST = '\\.test\\.ts$'
/** The drivers that only a migration needs. */
const OLD_RECORDS = '^src/stores/(redis|memory)/(old-record|read-counts)-driver\\.ts$'
const STORE = '^src/stores/(redis|memory)/'

const layerRules = Object.entries(LAYERS).flatMap(([folder, allowed]) => {
  const from = { path: `^src/${folder}/`, pathNot: TEST }
  const entries = (BESIDES[folder] ?? []).map((file) => `|^src/${file}\\.ts$`).join('')
  const below = `^src/(${[folder, ...allowed].join('|')})/${entries}`
  const comment = `src/${folder} may import ${allowed.join(', ') || 'nothing of ours'}, and name the types of ports.`
  return [
    { name: `layer-${folder}`, comment, severity: 'error', from, to: { path: '^src/', pathNot: [below, PORTS] } },
    {
      name: `layer-${folder}-by-type`,
      comment,
      severity: 'error',
      from,
      to: { path: PORTS, pathNot: below, dependencyTypesNot: ['type-only'] },
    },
  ]
})

const packageRules = Object.entries(PACKAGES).map(([name, home]) => ({
  name: `package-${name}`,
  comment: `Only ${home} loads "${name}".`,
  severity: 'error',
  from: { path: '^src/', pathNot: [home, TEST] },
  to: { path: `node_modules/${name}/|^${name}$` },
}))

module.exports = {
  forbidden: [
    ...layerRules,
    ...packageRules,
    {
      name: 'store-chosen-by-app',
      comment: 'Only app/ and the entries choose a store. Operators and tests may reach into one.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(stores|app|entries|testing|admin)/', TEST] },
      to: { path: STORE },
    },
    {
      name: 'migration-by-name',
      comment:
        'An application that names no migration loads none: others know its types, and the stores import its drivers when asked.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/(migrate|testing|cli|admin)/', '^src/entries/migrate\\.ts$', OLD_RECORDS, TEST],
      },
      to: { path: '^src/migrate/', dependencyTypesNot: ['type-only'], dynamic: false },
    },
    {
      name: 'migration-drivers-late',
      comment: 'The stores load the drivers of a migration by dynamic import.',
      severity: 'error',
      from: { path: '^src/stores/', pathNot: TEST },
      to: { path: OLD_RECORDS, dynamic: false },
    },
    {
      name: 'technologies-apart',
      comment: 'The Redis store loads no memory store, and the memory store no Redis store.',
      severity: 'error',
      from: { path: '^src/stores/redis/', pathNot: TEST },
      to: { path: '^src/stores/memory/' },
    },
    {
      name: 'technologies-apart-memory',
      comment: 'The Redis store loads no memory store, and the memory store no Redis store.',
      severity: 'error',
      from: { path: '^src/stores/memory/', pathNot: TEST },
      to: { path: '^src/(stores/redis|redis)/' },
    },
    {
      name: 'adapters-apart',
      comment: 'One entry never loads the framework of another.',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)\\.ts$', pathNot: TEST },
      to: { path: '^src/adapters/', pathNot: '^src/adapters/$1[./]' },
    },
    {
      name: 'tests-stay-out',
      comment: 'What is published imports no test, no example and no benchmark.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: ['^(test|bench|examples|scripts)/', TEST] },
    },
    {
      name: 'placed-folder',
      comment: 'A new folder below src/ gets its line in the table of layers. The root of src/ holds no file.',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(${Object.keys(LAYERS).join('|')})/` },
      to: {},
    },
    {
      name: 'named-for-what-it-is',
      comment: 'No drawer for odds and ends: a thing is named for what it is.',
      severity: 'error',
      from: {},
      to: {
        path: '/(util|utils|helper|helpers|common|commons|lib|libs|misc|shared)(/|\\.ts$)',
        pathNot: 'node_modules|^[^/]+$',
      },
    },
    { name: 'no-circular', severity: 'error', from: { pathNot: 'node_modules' }, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared',
      comment: 'What src/ loads is a dependency or a peer of the package.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm', 'npm-peer', 'type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|test/hosts|test/codemod/(app|public))/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['coatcheck-source', 'import', 'types', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.mjs', '.js', '.d.ts', '.json'],
    },
  },
}
