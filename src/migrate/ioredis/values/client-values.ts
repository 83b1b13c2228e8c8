/** Finds untyped expressions that are clients. The codemod rewrites those that are clients for certain, and marks those that may be. */
import { ts } from 'ts-morph'
import { isBufferCommand, isCommand } from '../commands.ts'
import { type FollowedValues, isIoredisKind, type Kind, type Kinds, unite } from '../kinds.ts'
import { makesIoredisClients } from '../packages.ts'
import { Evaluator } from './evaluator.ts'
import { OF_CLIENT, type Values } from './value.ts'
import { propertyOf, Writes } from './writes.ts'

/** Names of commands that other objects have as methods too. So the name alone does not show a command of Redis. */
const COMMON = new Set(
  `append auth call client cluster command config copy debug del discard dump echo eval exec exists expire function get hello info
  incr decr keys latency load memory migrate module monitor move object persist ping publish rename reset restore role save script
  select set shutdown sort subscribe psubscribe sync time touch ttl type unlink unsubscribe punsubscribe unwatch wait watch`.split(
    /\s+/,
  ),
)

/** Methods of a client and of a chain that are no commands. */
const METHODS = new Set(
  `pipeline multi exec quit disconnect connect end duplicate call callBuffer defineCommand sendCommand scanStream sscanStream hscanStream
  zscanStream scanBufferStream sscanBufferStream hscanBufferStream zscanBufferStream monitor addBatch nodes`.split(
    /\s+/,
  ),
)

const MOST_ROUNDS = 4

export class ClientValues implements FollowedValues {
  readonly #kinds: Kinds
  readonly #evaluator: Evaluator
  readonly #writes: Writes
  readonly #scriptNames: ReadonlySet<string>
  /** Names of properties, variables and registrations that hold a client. */
  readonly #carriers: Set<string>
  /** Of these, the ones that objects of packages hold. */
  readonly #outside = new Set<string>()

  /** @param kinds by types alone */
  constructor(kinds: Kinds, sources: readonly ts.SourceFile[], scriptNames: ReadonlySet<string>) {
    this.#kinds = kinds
    this.#writes = new Writes(sources, kinds.checker)
    this.#evaluator = new Evaluator(kinds, this.#writes, sources)
    this.#scriptNames = scriptNames
    this.#carriers = new Set([OF_CLIENT, ...namesFromPackages(sources)])
    for (const name of this.#carriers) this.#outside.add(name)
    this.#collect(sources)
  }

  kindOf(node: ts.Expression): Kind | null {
    const { parent } = node
    // The value is followed through promises: what `then` is called on is not the client itself.
    if (ts.isPropertyAccessExpression(parent) && /^(?:then|catch|finally)$/.test(parent.name.text)) return null
    return this.#certain(this.#evaluator.of(node))
  }

  kindOfDeclaration(node: ts.Declaration): Kind | null {
    // Nothing tells what a function does whose body is not in the project.
    if (ts.isParameter(node) && !('body' in node.parent && node.parent.body)) return null
    return this.#certain(this.#evaluator.declarations.ofDeclaration(node))
  }

  /** True if one of the values that the variable or export gets is a client. */
  mayHold(symbol: ts.Symbol): boolean {
    return [...this.#evaluator.declarations.ofSymbol(symbol)].some(({ is }) => is === 'redis')
  }

  /** True if each function that the expression can be has its body in the project. */
  isOfProject(callee: ts.Expression): boolean {
    const values = [...this.#evaluator.of(callee)]
    return values.length > 0 && values.every(({ is }) => is === 'made')
  }

  /** True if the receiver of a call may be a client although no type says so, and `member` is a method of one. */
  mayBeClient(receiver: ts.Expression, member: string | null): boolean {
    const values = [...this.#evaluator.of(receiver)]
    const isMember = member === null || METHODS.has(member) || this.#isCommand(member)
    if (!isMember) return false
    if (values.some(({ is }) => is === 'redis')) return true
    return values.some((value) => {
      if (value.is === 'outside') return value.name !== null && this.#outside.has(value.name)
      if (value.is !== 'unknown') return false
      if (value.name !== null && this.#carriers.has(value.name)) return true
      return member !== null && this.#isCommand(member) && !COMMON.has(member) && !this.#writes.declares(member)
    })
  }

  #isCommand(name: string): boolean {
    return isCommand(name) || isBufferCommand(name) || this.#scriptNames.has(name)
  }

  #certain(values: Values): Kind | null {
    const kinds = [...values].map((value) => (value.is === 'redis' ? value.kind : null))
    if (kinds.length === 0 || kinds.some((kind) => kind === null)) return null
    const kind = unite(kinds.filter((one) => one !== null))
    return isIoredisKind(kind) || kind === 'class' || kind === 'cluster-class' ? kind : null
  }

  /** Names of what holds a client; a name that takes its value from such a name holds one too. */
  #collect(sources: readonly ts.SourceFile[]): void {
    const places = [
      ...this.#writes.initial.map(({ name, value }) => ({ name, value, target: null })),
      ...[...this.#writes.propertyNames].flatMap(([name, writes]) =>
        writes.map(({ value, target }) => ({ name, value, target })),
      ),
      ...this.#writes.registered.map(({ name, value }) => ({ name: name ?? '*', value, target: null })),
      ...sources.flatMap(variablesOf).map(({ name, value }) => ({ name, value, target: null })),
    ]
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const before = this.#carriers.size
      for (const { name, value, target } of places) {
        if (!this.#holds(value)) continue
        this.#carriers.add(name)
        if (target === null || [...this.#evaluator.of(target)].some(({ is }) => is === 'outside' || is === 'unknown'))
          this.#outside.add(name)
      }
      if (this.#carriers.size === before) return
    }
  }

  /** True for a client, and for a call that wraps one: `asValue(client)`. */
  #holds(value: ts.Expression): boolean {
    const isCarrier = [...this.#evaluator.of(value)].some(
      (one) =>
        (one.is === 'redis' && one.kind !== 'class' && one.kind !== 'cluster-class') ||
        (one.is === 'unknown' && one.name !== null && this.#carriers.has(one.name)),
    )
    if (isCarrier || !ts.isCallExpression(value)) return isCarrier
    if (this.#kinds.of(value.expression) !== 'any' && propertyOf(value.expression) !== null) return false
    return value.arguments.some((arg) => isIoredisKind(this.#kinds.of(arg)))
  }
}

function variablesOf(source: ts.SourceFile): { name: string; value: ts.Expression }[] {
  const found: { name: string; value: ts.Expression }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer)
      found.push({ name: node.name.text, value: node.initializer })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** `redis` where a package such as @fastify/redis gives a framework its client. */
function namesFromPackages(sources: readonly ts.SourceFile[]): string[] {
  const isThere = sources.some((source) =>
    [...source.text.matchAll(/['"]([@\w][\w./-]*)['"]/g)].some(([, name = '']) => makesIoredisClients(name)),
  )
  return isThere ? ['redis'] : []
}
