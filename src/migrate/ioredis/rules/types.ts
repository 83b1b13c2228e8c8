/** Types of ioredis: the generated file exports types of the same names. */
import { ts } from 'ts-morph'
import { isJavaScript } from '../call.ts'
import type { FileContext } from '../file-context.ts'
import { HELPER_PATH } from '../file-edit.ts'
import { isOfIoredis } from '../kinds.ts'
import type { Rule } from '../rule.ts'
import { isInsideAugmentation } from './augmentations.ts'
import { isMockedType, markMockedType } from './stand-ins.ts'

export const typesRule: Rule = {
  name: 'types',
  title: 'Types',
  why: 'The types of a client, its options and its chains have other names or shapes in node-redis.',
  examples: [
    {
      before:
        "import type { Redis, RedisOptions } from 'ioredis'\n\nexport const options: RedisOptions = {}\nexport let client: Redis | undefined\n",
      after:
        "import type { Redis, RedisOptions } from './redis-from-ioredis'\n\nexport const options: RedisOptions = {}\nexport let client: Redis | undefined\n",
    },
    {
      before:
        "import type { Redis } from 'ioredis'\n\nexport interface WithScript extends Redis {\n  double(key: string): Promise<number>\n}\nexport const define = (redis: Redis) => redis.defineCommand('double', { numberOfKeys: 1, lua: 'return 2' })\nexport const run = (redis: WithScript) => redis.double('a')\n",
      after:
        "import { type Redis, command, defineCommand } from './redis-from-ioredis'\n\nexport interface WithScript extends Redis {\n  double(key: string): Promise<number>\n}\nexport const define = (redis: Redis) => defineCommand(redis, 'double', { numberOfKeys: 1, lua: 'return 2' })\nexport const run = (redis: WithScript) => command<number>(redis, 'double', 'a')\n",
    },
    {
      before: 'export type Chain = ReturnType<typeof redis.pipeline>',
      after: 'export type Chain = ChainableCommander',
    },
    {
      before: "import type { Redis } from 'ioredis'\n\nexport type Chain = ReturnType<Redis['multi']>\n",
      after:
        "import type { ChainableCommander } from './redis-from-ioredis'\n\nexport type Chain = ChainableCommander\n",
    },
    {
      before: 'export type Fields = Awaited<ReturnType<typeof redis.hgetall>>',
      after:
        '// coatcheck-codemod-error derived-type: Write the type that the code needs: hgetall has another type in node-redis.\nexport type Fields = Awaited<ReturnType<typeof redis.hgetall>>',
    },
    {
      before: "import IORedis from 'ioredis'\n\nexport type Client = IORedis.Redis\n",
      after: "import type { Redis } from './redis-from-ioredis'\n\nexport type Client = Redis\n",
    },
  ],
}

/** Name in our declaration of ioredis → type of the generated file. */
const TYPES: Readonly<Record<string, string>> = {
  RedisClient: 'Redis',
  ClusterClient: 'Cluster',
  ChainableCommander: 'ChainableCommander',
  PipelineClass: 'ChainableCommander',
  RedisOptions: 'RedisOptions',
  ClusterOptions: 'ClusterOptions',
  ClusterNode: 'ClusterNode',
  Callback: 'Callback',
  RedisKey: 'RedisKey',
  RedisValue: 'RedisValue',
}

/** Types in comments of JavaScript: the generated file has none there. */
const IN_JAVASCRIPT: Readonly<Record<string, string>> = {
  Redis: "import('redis').RedisClientType",
  Cluster: "import('redis').RedisClusterType",
}

/** Aliases of `RedisOptions` in the declaration that mean something else. */
export const OTHER_OPTIONS = new Set([
  'SentinelConnectionOptions',
  'SentinelAddress',
  'NatMap',
  'DNSLookupFunction',
  'DNSResolveSrvFunction',
  'NodeRole',
  'ScanStreamOption',
])

/** Utility types whose result would hide which methods are used. */
const UTILITIES = new Set(['Pick', 'Omit', 'Partial', 'Required', 'Readonly'])

/** @returns true if the node is a reference to a type of ioredis */
export function applyToType(context: FileContext, node: ts.Node): boolean {
  const { analysis, file, bindings } = context
  const name = typeNameOf(node)
  if (ts.isImportTypeNode(node) && !node.qualifier && /^['"]ioredis['"]$/.test(node.argument.getText())) {
    file.mark(
      node,
      'types',
      'import-type',
      'Write the type that the code needs: the module ioredis is no longer there.',
    )
    return true
  }
  if (!name) return false
  const symbol = resolved(analysis.kinds.checker, name)
  if (!symbol || !isOfIoredis(symbol)) return false
  if (isInsideAugmentation(node)) return true
  if ((symbol.name === 'RedisClient' || symbol.name === 'ClusterClient') && isMockedType(node)) {
    markMockedType(context, node)
    return true
  }
  // A type that another file of the project exports changes there.
  if (!ts.isImportTypeNode(node) && !bindings.bindingOf(firstIdentifier(name))) return true
  const written = ts.isIdentifier(name) ? name.text : name.right.text
  const type = TYPES[symbol.name]
  if (file.stands(node, 'types')) return true
  if (ts.isTypeQueryNode(node) || type === undefined || OTHER_OPTIONS.has(written)) {
    file.mark(
      node,
      'types',
      'type',
      `node-redis has no counterpart of the type ${written}. Write the type that the code needs.`,
    )
    return true
  }
  if (ts.isImportTypeNode(node)) {
    const text = isJavaScript(node) ? IN_JAVASCRIPT[type] : `import('${HELPER_PATH}').${type}`
    if (text === undefined)
      file.mark(node, 'types', 'import-type', `Write the type ${type} by hand: a comment cannot import it.`)
    else {
      if (!isJavaScript(node)) file.needs(type)
      file.edits.replace(node.getStart(), node.getEnd(), text)
      file.record(node, 'types', 'rewritten')
    }
    return true
  }
  const { parent } = node
  if (ts.isIndexedAccessTypeNode(parent) || ts.isTypeOperatorNode(parent)) {
    file.mark(
      node,
      'types',
      'derived-type',
      `Write the type that the code needs: ${type} has other members in node-redis.`,
    )
    return true
  }
  if (type !== 'RedisOptions' && ts.isTypeReferenceNode(parent) && UTILITIES.has(parent.typeName.getText())) {
    file.mark(
      node,
      'types',
      'derived-type',
      `Write the methods of ${type} that the code needs, with the names of node-redis.`,
    )
    return true
  }
  file.edits.replace(name.getStart(), name.getEnd(), file.helper(type))
  bindings.consume(name)
  file.record(node, 'types', 'rewritten')
  return true
}

function typeNameOf(node: ts.Node): ts.EntityName | null {
  if (ts.isTypeReferenceNode(node)) return node.typeName
  if (ts.isTypeQueryNode(node)) return node.exprName
  if (ts.isImportTypeNode(node)) return node.qualifier ?? null
  return null
}

function firstIdentifier(name: ts.EntityName): ts.Identifier {
  return ts.isIdentifier(name) ? name : firstIdentifier(name.left)
}

function resolved(checker: ts.TypeChecker, name: ts.EntityName): ts.Symbol | undefined {
  const symbol = checker.getSymbolAtLocation(name)
  return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

/** `export type { Redis } from 'ioredis'`: true if each name is a type of the generated file. */
export function applyToExport({ file }: FileContext, node: ts.ExportDeclaration): boolean {
  const clause = node.exportClause
  if (!clause || !ts.isNamedExports(clause) || !node.moduleSpecifier) return false
  const names = clause.elements.map(({ propertyName, name }) => (propertyName ?? name).text)
  const isAllTypes = clause.elements.every((element) => node.isTypeOnly || element.isTypeOnly)
  const known = new Set(Object.values(TYPES))
  if (!isAllTypes || !names.every((name) => known.has(name))) return false
  if (file.stands(node, 'types')) return true
  for (const name of names) file.needs(name)
  file.edits.replace(node.moduleSpecifier.getStart() + 1, node.moduleSpecifier.getEnd() - 1, HELPER_PATH)
  file.record(node, 'types', 'rewritten')
  return true
}
