/**
 * The client port on a Redis Cluster: a client per node, and a map from hash slots to nodes. Each node has its own deadline
 * queue entries, circuit and reconnects, so that one node that hangs costs nobody else anything.
 *
 * The library's own cluster client is not used for this: it neither drops a node that hangs nor looks for its successor
 * before something answers, so that callers waited seconds after the failover was over (docs/decisions/0013).
 */
import calculateSlot from 'cluster-key-slot'
import { type CoatcheckError, isCoatcheckError, RedisError } from '../core/errors.ts'
import { RedisClient, type RedisClientDeps } from './client.ts'
import type {
  CallOptions,
  KeyTracking,
  Lasting,
  RedisArgument,
  RedisClientPort,
  RedisReply,
  Uptime,
  Watch,
} from './client-port.ts'
import { agreedMap, parseSlots, type SlotMap, slotMapText } from './cluster-slots.ts'
import { DeadlineWheel } from './deadline-wheel.ts'
import { redirectionOf } from './diagnose.ts'
import type { ChangeListener } from './key-tracker.ts'
import type { RedisLimits } from './options.ts'
import type { PendingCall } from './pending-call.ts'
import type { RedisAddress } from './redis-url.ts'
import type { RedisScript } from './script.ts'
import { addressSource } from './source.ts'
import { type ClusterTarget, nameOfAddress, type RedisTarget } from './target.ts'

const SLOTS = 16_384
const MOST_REDIRECTS = 16
/** While a node cannot be reached, and otherwise. */
const LOOK_URGENTLY_MS = 100
const LOOK_MS = 10_000
/** For calls that are still on their way to a node that the cluster has no use for any more. */
const LEAVING_MS = 2000

interface ClusterTracking {
  readonly prefixes: readonly string[]
  readonly maxStaleMs: number
  readonly changed: ChangeListener
  readonly ofNode: Map<RedisClient, KeyTracking>
}

export class RedisCluster implements RedisClientPort {
  readonly isSharded = true
  readonly writeTimeoutMs: number
  readonly #target: ClusterTarget
  readonly #limits: RedisLimits
  readonly #deps: RedisClientDeps
  readonly #wheel: DeadlineWheel
  readonly #nodes = new Map<string, RedisClient>()
  readonly #slots = new Array<RedisClient | undefined>(SLOTS).fill(undefined)
  readonly #waiters = new Set<() => void>()
  readonly #trackings = new Set<ClusterTracking>()
  #mapText = ''
  #timer: ReturnType<typeof setTimeout> | undefined
  #isLooking = false
  #isClosed = false

  constructor(target: ClusterTarget, limits: RedisLimits, deps: RedisClientDeps) {
    this.#target = target
    this.#limits = limits
    this.#deps = deps
    this.writeTimeoutMs = limits.writeTimeoutMs
    this.#wheel = new DeadlineWheel(deps.clock)
    for (const address of target.nodes) this.#node(address)
    this.#lookSoon()
  }

  command(key: string, args: readonly RedisArgument[], options?: CallOptions): Promise<RedisReply> {
    return this.#holderOf(key).command(key, args, options)
  }

  script(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: CallOptions,
  ): Promise<RedisReply> {
    return this.#holderOf(keys[0] ?? '').script(script, keys, args, options)
  }

  get isDurable(): boolean {
    return this.#limits.durability !== null
  }

  async lasting(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<Lasting> {
    try {
      return await this.#holderOf(keys[0] ?? '').lasting(script, keys, args)
    } catch (error) {
      // The slot has just moved. The connection that follows it is not the one whose replicas would be asked.
      if (!isCoatcheckError(error) || error.code !== 'COATCHECK_REDIS_CROSSSLOT') throw error
      this.#lookSoon()
      return { reply: await this.script(script, keys, args), durable: false }
    }
  }

  watch(channel: string, listener: () => void): Watch {
    return this.#holderOf(channel).watch(channel, listener)
  }

  track(prefixes: readonly string[], maxStaleMs: number, changed: ChangeListener): KeyTracking {
    const tracking: ClusterTracking = { prefixes, maxStaleMs, changed, ofNode: new Map() }
    this.#trackings.add(tracking)
    const of = (node: RedisClient): KeyTracking => {
      const known = tracking.ofNode.get(node) ?? node.track(prefixes, maxStaleMs, changed)
      tracking.ofNode.set(node, known)
      return known
    }
    return {
      isHeard: (key) => of(this.#holderOf(key)).isHeard(key),
      close: () => {
        this.#trackings.delete(tracking)
        for (const one of tracking.ofNode.values()) one.close()
      },
    }
  }

  serverNow(key: string): number {
    return this.#holderOf(key).serverNow()
  }

  uptime(key: string): Uptime {
    return this.#holderOf(key).uptime()
  }

  servers(): readonly RedisClient[] {
    return [...new Set(this.#slots.filter((node) => node !== undefined))]
  }

  /** When the map is known and each node in it can be used, else why not after the connect deadline. */
  async ready(): Promise<void> {
    if (this.#mapText === '') await this.#mapped()
    await Promise.all(this.servers().map((node) => node.ready()))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const settle of this.#waiters) settle()
    await Promise.all([...this.#nodes.values()].map((node) => node.close()))
  }

  #holderOf(key: string): RedisClient {
    const holder = this.#slots[calculateSlot(key)]
    if (holder !== undefined) return holder
    // Before the map is known: any node tells where the key is.
    const nodes = [...this.#nodes.values()]
    return nodes.find((node) => node.isReady) ?? nodes.find((node) => node.isConnecting) ?? (nodes[0] as RedisClient)
  }

  #node(address: RedisAddress): RedisClient {
    const name = nameOfAddress(address)
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const source = addressSource(this.#targetOf(address))
    const node: RedisClient = new RedisClient(source, this.#limits, {
      ...this.#deps,
      wheel: this.#wheel,
      redirect: (call, error) => this.#redirect(node, address, call, error),
      changed: (isUp) => {
        this.#lookSoon()
        this.#deps.changed?.(isUp)
      },
    })
    this.#nodes.set(name, node)
    return node
  }

  #targetOf(address: RedisAddress): RedisTarget {
    const { access } = this.#target
    return { ...access, address }
  }

  #redirect(from: RedisClient, address: RedisAddress, call: PendingCall, error: unknown): boolean {
    const redirection = redirectionOf(error)
    if (redirection === null) return false
    const host = redirection.host ?? ('host' in address ? address.host : '127.0.0.1')
    const to = this.#node({ host, port: redirection.port })
    // Somebody else holds the slot, or will: what was heard of its keys is over.
    for (const { changed } of this.#trackings) changed(null)
    if (!redirection.isAsk) {
      this.#slots[redirection.slot] = to
      this.#lookSoon()
    }
    if (++call.redirects > MOST_REDIRECTS || this.#isClosed) call.reject(this.#lost(from))
    else {
      call.isAsking = redirection.isAsk
      to.adopt(call)
    }
    return true
  }

  #lost({ endpoint }: RedisClient): CoatcheckError {
    return new RedisError('COATCHECK_REDIS_CLUSTERDOWN', {
      message: `Redis at ${endpoint}: the nodes of the cluster send each other's keys in a circle.`,
    })
  }

  #lookSoon(): void {
    if (this.#isLooking || this.#isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), this.#mapText === '' ? 1 : LOOK_URGENTLY_MS / 4).unref()
  }

  /** Asks every node that answers, and believes what most of them say: one that is cut off knows nothing of its successor. */
  async #look(): Promise<void> {
    this.#isLooking = true
    const asked = [...this.#nodes.entries()].filter(([, node]) => node.isReady)
    const maps = await Promise.all(asked.map(([name, node]) => this.#mapOf(name, node)))
    this.#isLooking = false
    if (this.#isClosed) return
    const map = agreedMap(maps.filter((one) => one !== null))
    if (map !== null) this.#follow(map)
    const isWhole = this.#mapText !== '' && this.servers().every((node) => node.isReady)
    this.#timer = setTimeout(() => void this.#look(), isWhole ? LOOK_MS : LOOK_URGENTLY_MS).unref()
  }

  async #mapOf(name: string, node: RedisClient): Promise<SlotMap | null> {
    const host = name.slice(0, name.lastIndexOf(':')).replace(/^\[|\]$/g, '')
    try {
      return parseSlots(await node.command('', ['CLUSTER', 'SLOTS']), host)
    } catch {
      return null
    }
  }

  #follow(map: SlotMap): void {
    const text = slotMapText(map)
    const isNews = text !== this.#mapText
    // Redirects may have changed single slots meanwhile, so it is written in any case.
    for (const { first, last, address } of map) this.#slots.fill(this.#node(address), first, last + 1)
    if (!isNews) return
    this.#mapText = text
    for (const { changed } of this.#trackings) changed(null)
    for (const settle of this.#waiters) settle()
    const used = new Set(this.servers())
    for (const [name, node] of this.#nodes) if (!used.has(node)) this.#letGo(name, node)
  }

  #letGo(name: string, node: RedisClient): void {
    for (const { ofNode } of this.#trackings) ofNode.delete(node)
    this.#nodes.delete(name)
    setTimeout(() => void node.close(), LEAVING_MS).unref()
  }

  async #mapped(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#limits.connectTimeoutMs)
      this.#waiters.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    if (this.#mapText !== '') return
    const [first] = this.#nodes.values()
    await first?.ready()
    // It answers commands, but not this one.
    await first?.command('', ['CLUSTER', 'SLOTS'])
    throw new RedisError('COATCHECK_REDIS_CLUSTERDOWN')
  }
}
