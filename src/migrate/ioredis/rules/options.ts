/** Options of a construction: which ones `createRedis` translates, ignores or refuses. */
import { ts } from 'ts-morph'
import { unwrap } from '../arguments.ts'
import type { FileContext } from '../file-context.ts'
import { isHelperText } from '../generated/compose.ts'
import { isOfIoredis, type Kind } from '../kinds.ts'
import { OTHER_OPTIONS } from './types.ts'

/** Options that `createRedis` translates, or that change nothing. */
const KNOWN = new Set([
  'host',
  'port',
  'path',
  'family',
  'tls',
  'username',
  'password',
  'db',
  'connectionName',
  'lazyConnect',
  'enableOfflineQueue',
  'connectTimeout',
  'commandTimeout',
  'socketTimeout',
  'keepAlive',
  'noDelay',
  'retryStrategy',
  'maxRetriesPerRequest',
  'readOnly',
  'disableClientInfo',
  'clientInfoTag',
  'enableReadyCheck',
  'maxLoadingRetryTime',
  'enableAutoPipelining',
  'autoPipeliningIgnoredCommands',
  'showFriendlyErrorStack',
  'protocol',
  'keyPrefix',
  'scripts',
])

/** Options of ioredis that `createRedis` refuses, unless their value means the same as no option. ioredis ignores all that are not here or above. */
const REFUSED = new Set([
  'sentinels',
  'reconnectOnError',
  'stringNumbers',
  'autoResubscribe',
  'autoResendUnfulfilledCommands',
  'Connector',
  'monitor',
  'replyMapping',
  'blockingTimeout',
  'himportFieldsets',
])

/** Options of the nodes of a cluster: prefix and scripts belong to the cluster. */
const KNOWN_OF_NODES = new Set([...KNOWN].filter((name) => name !== 'keyPrefix' && name !== 'scripts'))

const KNOWN_OF_CLUSTER = new Set([
  'redisOptions',
  'scaleReads',
  'maxRedirections',
  'natMap',
  'lazyConnect',
  'enableReadyCheck',
  'enableAutoPipelining',
  'slotsRefreshTimeout',
  'slotsRefreshInterval',
  'showFriendlyErrorStack',
])

/** Literal values that mean the same as no option. */
const NEUTRAL: Readonly<Record<string, string>> = {
  autoResubscribe: 'true',
  autoResendUnfulfilledCommands: 'true',
  stringNumbers: 'false',
  reconnectOnError: 'null',
  sentinels: 'null',
  keyPrefix: "''",
}

const ADVICE: Readonly<Record<string, string>> = {
  sentinels: 'Write this client with createSentinel({ name, sentinelRootNodes, nodeClientOptions }) of node-redis.',
  keyPrefix: 'createRedisCluster has no keyPrefix. Write the prefix into the keys.',
  reconnectOnError:
    'node-redis has no reconnectOnError. Handle the error where the command is called, or reconnect by hand.',
  stringNumbers: 'Use withTypeMapping({ [RESP_TYPES.NUMBER]: String }) of node-redis where numbers are large.',
  retryDelayOnFailover: 'node-redis has no such delay. Remove the option.',
  clusterRetryStrategy: 'Use defaults.socket.reconnectStrategy of createCluster.',
  dnsLookup: 'Use nodeAddressMap of createCluster.',
}

/** Options that stand in a literal of their own: `const options: RedisOptions = { … }`. */
export function applyToOptions({ analysis, file }: FileContext, literal: ts.ObjectLiteralExpression): void {
  const { parent } = literal
  if ((ts.isNewExpression(parent) || ts.isCallExpression(parent)) && isIoredisClass(analysis.kinds.of(classOf(parent))))
    return
  const { checker } = analysis.kinds
  const type = checker.getContextualType(literal)
  const symbol = type && checker.getNonNullableType(type).getSymbol()
  if (!symbol || !isOfIoredis(symbol)) return
  const known = symbol.name === 'RedisOptions' ? KNOWN : symbol.name === 'ClusterOptions' ? KNOWN_OF_CLUSTER : null
  if (!known || OTHER_OPTIONS.has(type.aliasSymbol?.name ?? '')) return
  for (const property of literal.properties) {
    const option = unknownOption([property], known)
    if (option !== null) file.mark(property, 'construction', codeOf(option), adviceOf(option))
  }
}

export function problemOf(
  { analysis }: FileContext,
  node: ts.NewExpression | ts.CallExpression,
  isCluster: boolean,
): { code: string; advice: string } | null {
  const args = node.arguments ?? []
  const known = isCluster ? KNOWN_OF_CLUSTER : KNOWN
  for (const given of isCluster ? args.slice(1) : args) {
    const arg = literalOf(analysis.kinds.checker, given)
    const byType = isCluster ? null : refusedByType(analysis.kinds.checker, unwrap(given))
    if (byType !== null) return { code: codeOf(byType), advice: adviceOf(byType) }
    const option = ts.isObjectLiteralExpression(arg)
      ? unknownOption(arg.properties, known, isCluster ? null : REFUSED)
      : null
    if (option !== null) return { code: codeOf(option), advice: adviceOf(option) }
    if (!isCluster || !ts.isObjectLiteralExpression(arg)) continue
    const inner = arg.properties.find((property) => property.name?.getText() === 'redisOptions')
    const options = inner && ts.isPropertyAssignment(inner) ? unwrap(inner.initializer) : null
    const innerOption =
      options && ts.isObjectLiteralExpression(options) ? unknownOption(options.properties, KNOWN_OF_NODES) : null
    if (innerOption !== null) return { code: codeOf(innerOption), advice: adviceOf(innerOption) }
  }
  const mayBeFunction = args.some((arg) => analysis.kinds.checker.getTypeAtLocation(arg).getCallSignatures().length > 0)
  return mayBeFunction
    ? { code: 'construction', advice: 'The constructor gets a function. Write this client by hand.' }
    : null
}

/** The first option that `createRedis` refuses and that the type of a value or of a spread declares. */
function refusedByType(checker: ts.TypeChecker, arg: ts.Expression): string | null {
  if (ts.isObjectLiteralExpression(arg)) {
    for (const property of arg.properties) {
      const option = ts.isSpreadAssignment(property) ? refusedIn(checker, property.expression) : null
      if (option !== null) return option
    }
    return null
  }
  return refusedIn(checker, arg)
}

function refusedIn(checker: ts.TypeChecker, value: ts.Expression): string | null {
  const literal = literalOf(checker, value)
  const ofLiteral = ts.isObjectLiteralExpression(literal)
    ? (unknownOption(literal.properties, KNOWN, REFUSED) ?? refusedByType(checker, literal))
    : null
  if (ofLiteral !== null) return ofLiteral
  // Code may set the option later.
  const type = checker.getNonNullableType(checker.getTypeAtLocation(value))
  const parts = type.isUnion() ? type.types : [type]
  const names = parts.flatMap((part) => [...REFUSED].filter((name) => isOwnOption(part.getProperty(name))))
  return names[0] ?? null
}

/** False for an option that only the types of ioredis or of the generated file declare: every value has it there. */
function isOwnOption(option: ts.Symbol | undefined): boolean {
  const [declaration] = option?.declarations ?? []
  if (!option || !declaration || isOfIoredis(option) || isHelperText(declaration.getSourceFile().text)) return false
  return !ts.isPropertyAssignment(declaration) || unknownOption([declaration], KNOWN, REFUSED) !== null
}

/** The literal behind a name that never changes. */
function literalOf(checker: ts.TypeChecker, arg: ts.Expression): ts.Expression {
  const node = unwrap(arg)
  const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined
  const declaration = (symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
    ?.valueDeclaration
  if (!declaration || !ts.isVariableDeclaration(declaration) || !(declaration.parent.flags & ts.NodeFlags.Const))
    return node
  return declaration.initializer ? unwrap(declaration.initializer) : node
}

/**
 * The first option that `createRedis` would refuse.
 * @param refused the only ones that count; null for all that are not known
 */
function unknownOption(
  properties: readonly ts.ObjectLiteralElementLike[],
  known: ReadonlySet<string>,
  refused: ReadonlySet<string> | null = null,
): string | null {
  for (const property of properties) {
    if (ts.isSpreadAssignment(property)) continue
    const name = ts.isIdentifier(property.name) || ts.isStringLiteral(property.name) ? property.name.text : null
    if (name === null) return '[computed]'
    if (refused?.has(name) === false && !known.has(name)) continue
    if (known.has(name)) {
      if (
        name === 'scaleReads' &&
        ts.isPropertyAssignment(property) &&
        !/^['"](?:master|slave)['"]$/.test(property.initializer.getText())
      )
        return name
      continue
    }
    const value = ts.isPropertyAssignment(property) ? property.initializer.getText().replaceAll('"', "'") : ''
    if (NEUTRAL[name] !== value || value === '') return name
  }
  return null
}

function adviceOf(option: string): string {
  return ADVICE[option] ?? `node-redis has no option "${option}". Remove it, or write this client by hand.`
}

function codeOf(option: string): string {
  return option === '[computed]' ? 'option' : option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

export function isIoredisClass(kind: Kind): boolean {
  return kind === 'class' || kind === 'cluster-class'
}

/** The class of `new Redis()` and of `Redis.createClient()`. */
export function classOf({ expression }: ts.NewExpression | ts.CallExpression): ts.Expression {
  const callee = unwrap(expression)
  return ts.isPropertyAccessExpression(callee) && callee.name.text === 'createClient' ? callee.expression : callee
}
