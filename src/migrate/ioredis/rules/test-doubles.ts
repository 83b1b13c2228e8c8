/** Doubles of ioredis in tests. node-redis has none that behaves like a server, so each needs a person. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'
import type { Rule } from '../rule.ts'
import { mapsIoredis } from '../module-maps.ts'
import { ADVICE_DOUBLE, ADVICE_MOCK_MODULE, applyToModuleDouble } from './module-doubles.ts'

const ADVICE_IOREDIS_MOCK =
  'ioredis-mock has the methods of ioredis only. Run the test on a real Redis, or write a double with the methods of node-redis.'

export const testDoublesRule: Rule = {
  name: 'test-doubles',
  title: 'Test doubles',
  why: 'A mock of ioredis has no effect after the move. The test would reach a real server, or pass without testing anything.',
  examples: [
    {
      before: "import RedisMock from 'ioredis-mock'\n\nexport const redis = new RedisMock()\n",
      after: `// coatcheck-codemod-error ioredis-mock: ${ADVICE_IOREDIS_MOCK}\nimport RedisMock from 'ioredis-mock'\n\nexport const redis = new RedisMock()\n`,
    },
    {
      before:
        'declare const expect: (value: unknown) => { toHaveBeenCalled(): void }\nexpect(redis.get).toHaveBeenCalled()',
      after:
        'declare const expect: (value: unknown) => { toHaveBeenCalled(): void }\n// coatcheck-codemod-error spied-method: The migrated code may call another method than get(). Check the migrated calls, and make the test expect the same method.\nexpect(redis.get).toHaveBeenCalled()',
    },
    {
      before: "export const fake = { get: async () => 'x' } as unknown as Redis",
      after: `// coatcheck-codemod-error client-double: ${ADVICE_DOUBLE}\nexport const fake = { get: async () => 'x' } as unknown as Redis`,
    },
  ],
}

/** @returns true if the node replaces ioredis by a double */
export function applyToTestDouble(context: FileContext, node: ts.Node): boolean {
  const { file } = context
  if (ts.isImportDeclaration(node) && isModule(node.moduleSpecifier, /^ioredis-mock(?:\/|$)/)) {
    file.mark(node, 'test-doubles', 'ioredis-mock', ADVICE_IOREDIS_MOCK)
    return true
  }
  // A map of module names, as in the configuration of Jest.
  if ((ts.isStringLiteral(node) && node.text === 'ioredis-mock' && !isArgumentOrImport(node)) || isMappedName(node)) {
    file.mark(node, 'test-doubles', 'mocked-module', ADVICE_MOCK_MODULE)
    return true
  }
  if (!ts.isCallExpression(node)) return false
  const [module] = node.arguments
  const { expression } = node
  const isLoad =
    (ts.isIdentifier(expression) && expression.text === 'require') || expression.kind === ts.SyntaxKind.ImportKeyword
  if (!isLoad) return applyToModuleDouble(context, node)
  if (!module || !isModule(module, /^ioredis-mock(?:\/|$)/)) return false
  file.mark(node, 'test-doubles', 'ioredis-mock', ADVICE_IOREDIS_MOCK)
  return true
}

/** `'^ioredis$'` of `moduleNameMapper: { '^ioredis$': … }`, and of `alias: [{ find: '^ioredis$', … }]`. */
function isMappedName(node: ts.Node): boolean {
  const { parent } = node
  if (!(parent as ts.Node | undefined) || !ts.isPropertyAssignment(parent)) return false
  if (parent.initializer === node && parent.name.getText() === 'find')
    return (
      (ts.isStringLiteral(node) && mapsIoredis('alias', node.text)) ||
      (ts.isRegularExpressionLiteral(node) && mapsIoredis('moduleNameMapper', patternOf(node)))
    )
  if (parent.name !== node || !(ts.isIdentifier(node) || ts.isStringLiteral(node))) return false
  const map = parent.parent.parent
  return mapsIoredis(ts.isPropertyAssignment(map) ? map.name.getText().replace(/['"]/g, '') : '', node.text)
}

function patternOf({ text }: ts.RegularExpressionLiteral): string {
  return text.slice(1, text.lastIndexOf('/'))
}

function isModule(node: ts.Expression, pattern: RegExp): boolean {
  return ts.isStringLiteralLike(node) && pattern.test(node.text)
}

function isArgumentOrImport({ parent }: ts.Node): boolean {
  return ts.isCallExpression(parent) || ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)
}
