/**
 * Which node of a Redis Cluster holds which hash slots, as far as known: asked of the nodes themselves, often while one of them
 * cannot be reached, and corrected slot by slot by what redirects say.
 */
import calculateSlot from 'cluster-key-slot'
import { RedisError } from '../core/errors.ts'
import type { RedisClient } from './client.ts'
import { agreedMap, parseSlots, type SlotMap, slotMapText } from './cluster-slots.ts'
import type { RedisAddress } from './redis-url.ts'
import { nameOfAddress } from './target.ts'

const SLOTS = 16_384
/** While a node cannot be reached, and otherwise. */
const LOOK_URGENTLY_MS = 100
const LOOK_MS = 10_000
/** For calls that are still on their way to a node that the cluster has no use for any more. */
const LEAVING_MS = 2000

export interface ClusterTopologyDeps {
  readonly open: (address: RedisAddress) => RedisClient
  readonly connectTimeoutMs: number
  /** Slots are with other nodes now. */
  readonly changed: () => void
  /** The cluster has no use for a node any more. */
  readonly left: (node: RedisClient) => void
}

export class ClusterTopology {
  readonly #deps: ClusterTopologyDeps
  readonly #nodes = new Map<string, RedisClient>()
  readonly #slots = new Array<RedisClient | undefined>(SLOTS).fill(undefined)
  readonly #waiters = new Set<() => void>()
  #mapText = ''
  #timer: ReturnType<typeof setTimeout> | undefined
  #isLooking = false
  isClosed = false

  constructor(deps: ClusterTopologyDeps) {
    this.#deps = deps
  }

  /** Nodes that hold slots. */
  servers(): readonly RedisClient[] {
    return [...new Set(this.#slots.filter((node) => node !== undefined))]
  }

  /** Known ones are handed out again. */
  node(address: RedisAddress): RedisClient {
    const name = nameOfAddress(address)
    const node = this.#nodes.get(name) ?? this.#deps.open(address)
    this.#nodes.set(name, node)
    return node
  }

  holderOf(key: string): RedisClient {
    const holder = this.#slots[calculateSlot(key)]
    if (holder !== undefined) return holder
    // Before the map is known: any node tells where the key is.
    const nodes = [...this.#nodes.values()]
    return nodes.find((node) => node.isReady) ?? nodes.find((node) => node.isConnecting) ?? (nodes[0] as RedisClient)
  }

  /** A redirect says so. */
  moved(slot: number, to: RedisClient): void {
    this.#slots[slot] = to
    this.lookSoon()
  }

  lookSoon(): void {
    if (this.#isLooking || this.isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), this.#mapText === '' ? 1 : LOOK_URGENTLY_MS / 4).unref()
  }

  /** When the map is known and each node in it can be used, else why not after the connect deadline. */
  async ready(): Promise<void> {
    if (this.#mapText === '') await this.#mapped()
    await Promise.all(this.servers().map((node) => node.ready()))
  }

  async close(): Promise<void> {
    this.isClosed = true
    clearTimeout(this.#timer)
    for (const settle of this.#waiters) settle()
    await Promise.all([...this.#nodes.values()].map((node) => node.close()))
  }

  /** Asks every node that answers, and believes what most of them say: one that is cut off knows nothing of its successor. */
  async #look(): Promise<void> {
    this.#isLooking = true
    const asked = [...this.#nodes.entries()].filter(([, node]) => node.isReady)
    const maps = await Promise.all(asked.map(([name, node]) => this.#mapOf(name, node)))
    this.#isLooking = false
    if (this.isClosed) return
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
    for (const { first, last, address } of map) this.#slots.fill(this.node(address), first, last + 1)
    if (!isNews) return
    this.#mapText = text
    this.#deps.changed()
    for (const settle of this.#waiters) settle()
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
    // It answers commands, but not this one.
    await first?.command('', ['CLUSTER', 'SLOTS'])
    throw new RedisError('COATCHECK_REDIS_CLUSTERDOWN')
  }
}
