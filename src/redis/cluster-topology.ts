/**
 * Knows which node of a Redis Cluster holds which hash slots. It polls the nodes, often while one of them is unreachable, and corrects
 * single slots from redirects.
 */
import calculateSlot from 'cluster-key-slot'
import { RedisError } from '../core/errors.ts'
import type { RedisClient } from './client.ts'
import { agreedMap, parseSlots, type SlotMap, slotMapText } from './cluster-slots.ts'
import type { RedisAddress } from './redis-url.ts'
import { nameOfAddress } from './target.ts'

const SLOTS = 16_384
/** Poll intervals, milliseconds: while a node is unreachable, and otherwise. */
const URGENT_POLL_MS = 100
const POLL_MS = 10_000
/** How long a removed node stays open for calls that are still in flight, milliseconds. */
const LEAVING_MS = 2000

export interface ClusterTopologyDeps {
  readonly open: (address: RedisAddress) => RedisClient
  readonly connectTimeoutMs: number
  /** Called when slots moved to other nodes. */
  readonly changed: () => void
  /** Called when a node no longer belongs to the cluster. */
  readonly left: (node: RedisClient) => void
}

export class ClusterTopology {
  readonly #deps: ClusterTopologyDeps
  readonly #nodes = new Map<string, RedisClient>()
  readonly #slots = new Array<RedisClient | undefined>(SLOTS).fill(undefined)
  readonly #waiters = new Set<() => void>()
  #mapText = ''
  #timer: ReturnType<typeof setTimeout> | undefined
  #isPolling = false
  isClosed = false

  constructor(deps: ClusterTopologyDeps) {
    this.#deps = deps
  }

  /** Nodes that hold slots. */
  servers(): readonly RedisClient[] {
    return [...new Set(this.#slots.filter((node) => node !== undefined))]
  }

  /** Returns the existing client of this address, or opens one. */
  node(address: RedisAddress): RedisClient {
    const name = nameOfAddress(address)
    const node = this.#nodes.get(name) ?? this.#deps.open(address)
    this.#nodes.set(name, node)
    return node
  }

  holderOf(key: string): RedisClient {
    const holder = this.#slots[calculateSlot(key)]
    if (holder !== undefined) return holder
    // Before the map is known, any node can redirect to the right one.
    const nodes = [...this.#nodes.values()]
    return nodes.find((node) => node.isReady) ?? nodes.find((node) => node.isConnecting) ?? (nodes[0] as RedisClient)
  }

  /** Called for a `MOVED` redirect. */
  moved(slot: number, to: RedisClient): void {
    this.#slots[slot] = to
    this.pollSoon()
  }

  pollSoon(): void {
    if (this.#isPolling || this.isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#poll(), this.#mapText === '' ? 1 : URGENT_POLL_MS / 4).unref()
  }

  /** Resolves when the map is known and each node in it is ready. Otherwise rejects with the reason after the connect deadline. */
  async ready(): Promise<void> {
    if (this.#mapText === '') await this.#mapped()
    await Promise.all(this.servers().map((node) => node.ready()))
  }

  async close(): Promise<void> {
    this.isClosed = true
    clearTimeout(this.#timer)
    for (const wake of this.#waiters) wake()
    await Promise.all([...this.#nodes.values()].map((node) => node.close()))
  }

  /** Queries every node that answers, and accepts the map that most of them report. A node that is cut off does not know its successor. */
  async #poll(): Promise<void> {
    this.#isPolling = true
    const asked = [...this.#nodes.entries()].filter(([, node]) => node.isReady)
    const maps = await Promise.all(asked.map(([name, node]) => this.#mapOf(name, node)))
    this.#isPolling = false
    if (this.isClosed) return
    const map = agreedMap(maps.filter((one) => one !== null))
    if (map !== null) this.#follow(map)
    const isWhole = this.#mapText !== '' && this.servers().every((node) => node.isReady)
    this.#timer = setTimeout(() => void this.#poll(), isWhole ? POLL_MS : URGENT_POLL_MS).unref()
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
    // Redirects may have changed single slots in the meantime, so the map is written in any case.
    for (const { first, last, address } of map) this.#slots.fill(this.node(address), first, last + 1)
    if (!isNews) return
    this.#mapText = text
    this.#deps.changed()
    for (const wake of this.#waiters) wake()
    const used = new Set(this.servers())
    for (const [name, node] of this.#nodes) if (!used.has(node)) this.#letGo(name, node)
  }

  #letGo(name: string, node: RedisClient): void {
    this.#deps.left(node)
    this.#nodes.delete(name)
    setTimeout(() => void node.close(), LEAVING_MS).unref()
  }

  async #mapped(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#deps.connectTimeoutMs)
      this.#waiters.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    if (this.#mapText !== '') return
    const [first] = this.#nodes.values()
    await first?.ready()
    // The node may answer other commands but not this one. The call throws its error.
    await first?.command('', ['CLUSTER', 'SLOTS'])
    throw new RedisError('COATCHECK_REDIS_CLUSTERDOWN')
  }
}
