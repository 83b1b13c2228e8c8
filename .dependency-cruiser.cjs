/**
 * The layers of ARCHITECTURE.md as a machine reads them. Arrows point one way; what a folder may import stands in one table.
 * A folder that is missing from the table may import nothing of ours: a new one has to be placed on purpose.
 */
const LAYERS = {
  core: [],
  config: ['core'],
  keyring: ['core'],
  redis: ['config', 'core'],
  memory: ['core'],
  documents: ['keyring', 'core'],
  // What leads into it: no other layer loads it at run time, except entries and by dynamic import.
  migrate: ['adapters', 'http', 'documents', 'session', 'token', 'keyring', 'core'],
  session: ['keyring', 'core'],
  token: ['keyring', 'core'],
  oidc: ['session', 'token', 'config', 'keyring', 'core'],
  http: ['oidc', 'session', 'token', 'keyring', 'core'],
  adapters: ['http', 'oidc', 'session', 'token', 'documents', 'core'],
  telemetry: ['core'],
  admin: ['migrate', 'session', 'token', 'oidc', 'documents', 'keyring', 'redis', 'config', 'core'],
  cli: ['admin', 'dev', 'migrate', 'config', 'core'],
  dashboard: ['admin', 'http', 'core'],
  dev: ['core'],
  testing: [
    'adapters',
    'http',
    'oidc',
    'session',
    'token',
    'documents',
    'migrate',
    'keyring',
    'memory',
    'redis',
    'config',
    'core',
  ],
}

/** Entries that a layer may load besides: the command line opens what the application does. */
const ENTRIES = {
  cli: ['admin'],
  // The proxy through which `coatcheck dev` lets its Redis fail.
  dev: ['testing/fault-proxy'],
}

/** Files that say what shape a thing has. Every layer may name a shape (as a type); nobody loads anything by it. */
const SHAPES =
  '^src/(config/types|store|coatcheck|session/types|session/session-driver|token/types|token/token-driver|migrate/cookie-bridge)\\.ts$'

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
  '@opentelemetry/api': '^src/(otel|telemetry/otel-[^/]+)\\.ts$',
}

const TEST = '\\.test\\.ts$'
const DRIVER = '^src/[^/]+/drivers/'

const layerRules = Object.entries(LAYERS).flatMap(([folder, allowed]) => {
  const from = { path: `^src/${folder}/`, pathNot: [TEST, DRIVER] }
  const entries = (ENTRIES[folder] ?? []).map((entry) => `|^src/${entry}\\.ts$`).join('')
  const below = `^src/(${[folder, ...allowed].join('|')})/${entries}`
  const comment = `src/${folder} may import ${allowed.join(', ') || 'nothing of ours'}, and name shapes.`
  return [
    { name: `layer-${folder}`, comment, severity: 'error', from, to: { path: '^src/', pathNot: [below, SHAPES] } },
    {
      name: `layer-${folder}-by-type`,
      comment,
      severity: 'error',
      from,
      to: { path: SHAPES, pathNot: below, dependencyTypesNot: ['type-only'] },
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
      name: 'driver',
      comment: 'A driver knows its port, its technology and core.',
      severity: 'error',
      from: { path: '^src/([^/]+)/drivers/', pathNot: TEST },
      to: { path: '^src/', pathNot: ['^src/$1/', '^src/(redis|memory|core)/', '-driver\\.ts$'] },
    },
    {
      name: 'driver-chosen-by-entry',
      comment: 'Only the entry files src/stores/redis/redis-store.ts and src/stores/memory/memory-store.ts, and what tests, choose a driver.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(redis|memory)\\.ts$', '^src/testing/', DRIVER, TEST] },
      to: { path: DRIVER },
    },
    {
      name: 'migration-by-name',
      comment:
        'An application that names no migration loads none: others know its types, and the stores import its drivers when asked.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/(migrate|testing|cli|admin)(/|\\.ts$)', '^src/(redis|memory)\\.ts$', TEST],
      },
      to: { path: '^src/migrate(/|\\.ts$)', dependencyTypesNot: ['type-only'], dynamic: false },
    },
    {
      name: 'migration-drivers-late',
      comment: 'The stores load the drivers of a migration by dynamic import.',
      severity: 'error',
      from: { path: '^src/(redis|memory)\\.ts$' },
      to: { path: '^src/migrate/', dynamic: false },
    },
    {
      name: 'technologies-apart',
      comment: 'The Redis store loads no memory store, and the other way round.',
      severity: 'error',
      from: { path: '^src/(redis\\.ts|redis/|[^/]+/drivers/redis)', pathNot: TEST },
      to: { path: '^src/(memory\\.ts|memory/|[^/]+/drivers/memory)' },
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
      comment: 'A new folder below src/ gets its line in the table of layers. Files directly in src/ are entries.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(LAYERS).join('|')})/` },
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
