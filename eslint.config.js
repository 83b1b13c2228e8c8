/**
 * Lint rules. Beside the strict, type-aware set they hold the rules of the house that a machine can see: where time,
 * environment, key names and cookies may be touched. Layers between folders are in `.dependency-cruiser.cjs`.
 */
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

/** Each rule of the house: what must not appear, where it may, and what to do instead. */
const house = {
  clock: {
    selector:
      "CallExpression[callee.object.name='Date'][callee.property.name='now'], NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Time comes from a Clock (src/core/clock.ts), so that tests can travel in it.',
  },
  environment: {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'The environment is read in src/config/ only, and handed on as configuration.',
  },
  randomness: {
    selector: "MemberExpression[object.name='Math'][property.name='random'], Identifier[name='randomUUID']",
    message: 'Randomness comes from a Random (src/core/random.ts): 256 bits, no UUID, no Math.random.',
  },
  cookie: {
    selector: 'Literal[value=/^set-cookie$/i]',
    message: 'Only src/http/cookie.ts writes cookies (and src/http/node-bridge.ts carries them over).',
  },
  json: {
    selector: "CallExpression[callee.object.name='JSON'][callee.property.name='parse']",
    message:
      'JSON of sessions, tokens and providers is parsed by parseJson (src/core/json.ts): objects without a prototype.',
  },
  keyName: {
    selector:
      'Literal[value=/^(user:|signin:|provider:sid:|app:tokens:|host:|events:[0-9])/], TemplateElement[value.raw=/(^|:)(user:session:|user:\\{|signin:|provider:sid:|app:tokens:)/]',
    message: 'Key names are built in src/stores/keys.ts only.',
  },
}
const allBut = (...names) => [
  'error',
  ...Object.entries(house)
    .filter(([name]) => !names.includes(name))
    .map(([, rule]) => rule),
]

export default defineConfig(
  globalIgnores([
    'dist/',
    '.dist-*/',
    'coverage/',
    'test-results/',
    '.demo/',
    '**/node_modules/',
    '**/.next/',
    '**/.app/',
    '**/.created/',
    // Applications of others, as others write them: the codemod reads and rewrites copies of them.
    'test/codemod/app/',
    'test/codemod/public/',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      // `import { type X }` still loads the module at run time; `import type` does not, and peers are optional.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => void` callbacks that return what a one-line arrow happens to evaluate to are fine.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // Parts are made by factories that close over their state: their methods work detached, and are often handed on.
      '@typescript-eslint/unbound-method': 'off',
      // Fields of session data have names that only run time knows.
      '@typescript-eslint/no-dynamic-delete': 'off',
      // A port's method is async even where one of its drivers has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A type parameter that appears once is how `Session<D>` travels through a call that does not look inside.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      eqeqeq: 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: false } }],
      'no-restricted-syntax': allBut('json'),
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/**/*.test.ts'],
    rules: {
      'no-console': 'error',
      'max-lines-per-function': ['warn', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:process', 'process'].map((name) => ({
            name,
            message: 'The environment is read in src/config/ only.',
          })),
        },
      ],
    },
  },

  // Where each thing of the house lives.
  { files: ['src/session/**', 'src/oidc/**', 'src/token/**'], rules: { 'no-restricted-syntax': allBut() } },
  { files: ['src/core/clock.ts'], rules: { 'no-restricted-syntax': allBut('clock', 'json') } },
  { files: ['src/config/**'], rules: { 'no-restricted-syntax': allBut('environment', 'json') } },
  {
    files: ['src/http/cookie.ts', 'src/http/node-bridge.ts'],
    rules: { 'no-restricted-syntax': allBut('cookie', 'json') },
  },
  { files: ['src/stores/keys.ts'], rules: { 'no-restricted-syntax': allBut('keyName', 'json') } },
  // Key names of another library.
  { files: ['src/migrate/upstash-records.ts'], rules: { 'no-restricted-syntax': allBut('keyName', 'json') } },
  // The local provider speaks as Entra does, whose ids are UUIDs, and refuses to start in production.
  { files: ['src/dev/**'], rules: { 'no-restricted-syntax': allBut('environment', 'randomness', 'json') } },

  // Tests look at cookies and keys from the outside, draw names for temporary things and read the environment.
  {
    files: ['test/**', '**/*.test.ts', 'src/testing/**', 'bench/**', 'examples/**', '*.config.ts'],
    rules: {
      'no-restricted-syntax': 'off',
      'no-restricted-imports': 'off',
      'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
      // A test knows what it has just put there.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // What a test looks at twice has changed in between, and what cannot happen is looked for on purpose.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/await-thenable': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
  {
    files: ['**/*.test.ts', 'test/**'],
    rules: {
      // `describe` and table-driven cases are long by nature; promises in expectations are awaited by the runner.
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "CallExpression[callee.object.name='vi'][callee.property.name=/^wait(For|Until)$/][arguments.length=1]",
          message: 'Give a timeout that only a hang reaches. The default of one second fails on a busy machine.',
        },
      ],
    },
  },

  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { parserOptions: { ecmaFeatures: { jsx: true } } },
    rules: {
      eqeqeq: 'error',
      'no-undef': 'off',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'prefer-const': 'error',
    },
  },
)
