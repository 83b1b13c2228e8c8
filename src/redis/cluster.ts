/**
 * Client port on a Redis Cluster: one client per node, and a map from hash slots to nodes. Each node has its own deadline queue entries,
 * circuit and reconnects, so that one hung node does not slow calls to the others.
 *
 * The cluster client of the library is not used for this. It neither drops a hung node nor searches for its successor before some node
 * answers. Callers waited seconds after the failover was over (docs/decisions/0013).
 */
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
import { ClusterTopology } from './cluster-topology.ts'
import { DeadlineWheel } from './deadline-wheel.ts'
import { redirectionOf } from './diagnose.ts'
import { lastingTimeoutMs } from './durable-writes.ts'
import type { ChangeListener } from './key-tracker.ts'
import type { RedisLimits } from './options.ts'
import type { PendingCall } from './pending-call.ts'
import type { RedisAddress } from './redis-url.ts'
import type { RedisScript } from './script.ts'
import { addressSource } from './source.ts'
import type { ClusterTarget } from './target.ts'

const MAX_REDIRECTS = 16

interface ClusterTracking {
  readonly prefixes: readonly string[]
  readonly maxStaleMs: number
  readonly changed: ChangeListener
  readonly ofNode: Map<RedisClient, KeyTracking>
}

export class RedisCluster implements RedisClientPort {
  readonly isSharded = true
  readonly writeTimeoutMs: number
  readonly lastingTimeoutMs: number
  readonly #target: ClusterTarget
  readonly #limits: RedisLimits
  readonly #deps: RedisClientDeps
  readonly #wheel: DeadlineWheel
  readonly #topology: ClusterTopology
  readonly #trackings = new Set<ClusterTracking>()

  constructor(target: ClusterTarget, limits: RedisLimits, deps: RedisClientDeps) {
    this.#target = target
    this.#limits = limits
    this.#deps = deps
    this.writeTimeoutMs = limits.writeTimeoutMs
    this.lastingTimeoutMs = lastingTimeoutMs(limits)
    this.#wheel = new DeadlineWheel(deps.clock)
    this.#topology = new ClusterTopology({
      open: (address) => this.#open(address),
      connectTimeoutMs: limits.connectTimeoutMs,
      changed: () => this.#unheard(),
      left: (node) => {
        for (const { ofNode } of this.#trackings) ofNode.delete(node)
      },
    })
    for (const address of target.nodes) this.#topology.node(address)
    this.#topology.pollSoon()
  }

  command(key: string, args: readonly RedisArgument[], options?: CallOptions): Promise<RedisReply> {
    return this.#topology.holderOf(key).command(key, args, options)
  }

  script(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: CallOptions,
  ): Promise<RedisReply> {
    return this.#topology.holderOf(keys[0] ?? '').script(script, keys, args, options)
  }

  verifyAlignment(key: string): Promise<void> {
    return this.#topology.holderOf(key).verifyAlignment()
  }

  epochOf(key: string): number {
    return this.#topology.holderOf(key).epoch
  }

  get isDurable(): boolean {
    return this.#limits.durability !== null
  }

  async lasting(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: CallOptions,
  ): Promise<Lasting> {
    try {
      return await this.#topology.holderOf(keys[0] ?? '').lasting(script, keys, args, options)
    } catch (error) {
      // The slot has just moved. The durable connection does not follow the redirect, so its replicas cannot acknowledge this write.
      if (!isCoatcheckError(error) || error.code !== 'COATCHECK_REDIS_CROSSSLOT') throw error
      this.#topology.pollSoon()
      return { reply: await this.script(script, keys, args, options), durable: false }
    }
  }

  watch(channel: string, listener: () => void): Watch {
    return this.#topology.holderOf(channel).watch(channel, listener)
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
      isCurrent: (key) => of(this.#topology.holderOf(key)).isCurrent(key),
      close: () => {
        this.#trackings.delete(tracking)
        for (const one of tracking.ofNode.values()) one.close()
      },
    }
  }

  serverNow(key: string): number {
    return this.#topology.holderOf(key).serverNow()
  }

  uptime(key: string): Uptime {
    return this.#topology.holderOf(key).uptime()
  }

  servers(): readonly RedisClient[] {
    return this.#topology.servers()
  }

  ready(): Promise<void> {
    return this.#topology.ready()
  }

  close(): Promise<void> {
    return this.#topology.close()
  }

  #open(address: RedisAddress): RedisClient {
    const node: RedisClient = new RedisClient(addressSource({ ...this.#target.access, address }), this.#limits, {
      ...this.#deps,
      wheel: this.#wheel,
      redirect: (call, error) => this.#redirect(node, address, call, error),
      changed: (isUp) => {
        this.#topology.pollSoon()
        this.#deps.changed?.(isUp)
      },
    })
    return node
  }

  /** Tracked keys may now be on other nodes, so earlier notifications no longer count. */
  #unheard(): void {
    for (const { changed } of this.#trackings) changed(null)
  }

  #redirect(from: RedisClient, address: RedisAddress, call: PendingCall, error: unknown): boolean {
    const redirection = redirectionOf(error)
    if (redirection === null) return false
    const host = redirection.host ?? ('host' in address ? address.host : '127.0.0.1')
    const to = this.#topology.node({ host, port: redirection.port })
    this.#unheard()
    if (!redirection.isAsk) this.#topology.moved(redirection.slot, to)
    if (++call.redirects > MAX_REDIRECTS || this.#topology.isClosed) call.reject(this.#lost(from))
    else {
      call.isAsking = redirection.isAsk
      to.adopt(call)
    }
    return true
  }

  #lost({ endpoint }: RedisClient): CoatcheckError {
    return new RedisError('COATCHECK_REDIS_CLUSTERDOWN', {
      message: `Cannot use Redis at ${endpoint}: the nodes of the cluster redirect a key in a circle.`,
    })
  }
}
