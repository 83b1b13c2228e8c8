/** Modules that a test replaces: those of ioredis, and modules of the project that hand out a client. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'

export const ADVICE_MOCK_MODULE =
  'The mock replaces ioredis, which the code no longer loads. Mock redis-from-ioredis, or run the test on a real Redis.'
export const ADVICE_DOUBLE =
  'This stands in for a client, with methods of ioredis. Give it what the migrated calls use, such as sendCommand(), or use a real Redis.'

/** Libraries that replace modules, and the names that such a call has. */
const REPLACES =
  /^(?:(?:jest|vi|vitest)\.(?:mock|doMock|unmock|dontMock|requireActual|importActual|setMock|unstable_mockModule|genMockFromModule|createMockFromModule)|(?:\w+\.)?mock\.module|mock|mockRequire|jestMock|rewiremock|proxyquire|esmock|quibble|td\.replace|td\.replaceEsm|mockery\.(?:registerMock|registerSubstitute))$/
/** Calls that leave the module as it is. */
const KEEPS = /\.(?:unmock|dontMock|requireActual|importActual)$/

const IOREDIS = /^ioredis(?:$|\/|-mock)/

/** A call such as `jest.mock('./redis', …)`. @returns true if it replaces ioredis or a client */
export function applyToModuleDouble(context: FileContext, node: ts.CallExpression): boolean {
  const callee = calleeOf(node)
  if (callee === null || !REPLACES.test(callee)) return false
  const [first, ...rest] = node.arguments
  const module = first && moduleOf(first)
  if (!module) return false
  const from = context.file.source.fileName
  if (IOREDIS.test(module.text)) return mark(context, node, 'mocked-module')
  if (!KEEPS.test(callee) && !isLoader(callee) && handsOut(context, module.text, from, namesOf(rest[0])))
    return mark(context, node, 'client-double')
  if (!isLoader(callee)) return false
  const loaded = context.analysis.moduleAt(module.text, from)?.fileName ?? from
  const stubs = rest.flatMap((arg) => (ts.isObjectLiteralExpression(arg) ? [...arg.properties] : []))
  for (const stub of stubs) {
    const name = stub.name && (ts.isStringLiteralLike(stub.name) || ts.isIdentifier(stub.name)) ? stub.name.text : ''
    if (IOREDIS.test(name)) return mark(context, node, 'mocked-module')
    if ([loaded, from].some((file) => handsOut(context, name, file, null))) return mark(context, node, 'client-double')
  }
  return false
}

/** A file of a folder `__mocks__`: Jest and Vitest take it in place of the module beside that folder. */
export function applyToMockFile(context: FileContext, source: ts.SourceFile): void {
  const [, folder, name] = /^(.*)\/__mocks__\/(.+?)(?:\/index)?\.[cm]?[jt]sx?$/.exec(source.fileName) ?? []
  const [first] = source.statements
  if (folder === undefined || name === undefined || !first) return
  if (name === 'ioredis') mark(context, first, 'mocked-module')
  else if (handsOut(context, `./${name}`, `${folder}/x.js`, null)) mark(context, first, 'client-double')
}

function mark({ file }: FileContext, node: ts.Node, code: 'mocked-module' | 'client-double'): true {
  file.mark(node, 'test-doubles', code, code === 'mocked-module' ? ADVICE_MOCK_MODULE : ADVICE_DOUBLE)
  return true
}

function handsOut({ analysis }: FileContext, name: string, from: string, names: ReadonlySet<string> | null): boolean {
  const file = name === '' ? undefined : analysis.moduleAt(name, from)
  return file !== undefined && analysis.exportedClients.isIn(file, names)
}

/** The name of a callee, such as `jest.mock`; `proxyquire` also for `proxyquire.noCallThru()`. Null if the callee has no name. */
function calleeOf({ expression }: ts.CallExpression): string | null {
  if (ts.isIdentifier(expression)) return expression.text
  if (ts.isCallExpression(expression)) return calleeOf(expression)?.split('.', 1)[0] ?? null
  if (!ts.isPropertyAccessExpression(expression)) return null
  const { expression: object, name } = expression
  const before = ts.isCallExpression(object) ? calleeOf(object)?.split('.', 1)[0] : object.getText()
  if (before === undefined) return null
  return /^(?:proxyquire|esmock|rewiremock)$/.test(before) ? before : `${before}.${name.text}`
}

/** Loads a module with replacements for what that module loads. */
function isLoader(callee: string): boolean {
  return callee === 'proxyquire' || callee === 'esmock'
}

/** `'./redis'`, and `import('./redis')` of Vitest. */
function moduleOf(node: ts.Expression): ts.StringLiteralLike | null {
  if (ts.isStringLiteralLike(node)) return node
  if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return null
  const [module] = node.arguments
  return module && ts.isStringLiteralLike(module) ? module : null
}

/** Exports that a factory replaces; null if the code does not tell. */
function namesOf(factory: ts.Expression | undefined): ReadonlySet<string> | null {
  const literal = factory && literalOf(factory)
  if (!literal) return null
  const names = new Set<string>()
  for (const property of literal.properties) {
    if (ts.isSpreadAssignment(property)) {
      if (!/actual|original/i.test(property.expression.getText())) return null
    } else if (ts.isIdentifier(property.name) || ts.isStringLiteralLike(property.name)) names.add(property.name.text)
    else return null
  }
  // Without this flag, the object itself is the default export.
  if (!names.has('__esModule')) names.add('default')
  return names
}

/** The object that a factory returns. */
function literalOf(factory: ts.Expression): ts.ObjectLiteralExpression | null {
  if (!ts.isArrowFunction(factory) && !ts.isFunctionExpression(factory)) return null
  const { body } = factory
  let value: ts.Node | undefined = ts.isBlock(body)
    ? body.statements.findLast((one) => ts.isReturnStatement(one))?.expression
    : body
  while (value && ts.isParenthesizedExpression(value)) value = value.expression
  return value && ts.isObjectLiteralExpression(value) ? value : null
}
