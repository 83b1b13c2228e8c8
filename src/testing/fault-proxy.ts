/**
 * A TCP proxy that simulates network faults: it swallows, cuts, delays, drips and truncates data. It also reorders replies, like a broken
 * pool or proxy. Put it between a client and a server, or between two servers.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What the proxy does to connections. */
export type ProxyMode =
  /** All data passes. */
  | {
      /** Name of the mode. */
      readonly kind: 'pass'
    }
  /** Connections stay open and new ones are accepted, but no data arrives, as behind a firewall that lost its state. */
  | {
      /** Name of the mode. */
      readonly kind: 'swallow'
    }
  /** Connections are reset, including new ones. */
  | {
      /** Name of the mode. */
      readonly kind: 'cut'
    }
  /** Delays data in both directions. */
  | {
      /** Name of the mode. */
      readonly kind: 'delay'
      /** Delay in each direction, milliseconds. */
      readonly ms: number
    }
  /** Replies arrive one byte at a time, at this rate per second. */
  | {
      /** Name of the mode. */
      readonly kind: 'drip'
      /** Speed, bytes per second. */
      readonly bytesPerSecond: number
    }
  /** Only half of the next reply arrives, then the connection is reset. */
  | {
      /** Name of the mode. */
      readonly kind: 'truncate'
    }
  /**
   * Replies are complete but wrong: each may be dropped, sent twice, or sent after the next one, with the probability `chance`. Needs a way
   * to separate replies, see `splitReplies`.
   */
  | {
      /** Name of the mode. */
      readonly kind: 'confuse'
      /** Probability for each reply, 0 to 1. */
      readonly chance: number
    }

/** A TCP proxy that makes connections fail. */
export interface FaultProxy {
  /** Port that the proxy listens on. */
  readonly port: number
  /** `redis://` address of the proxy. */
  readonly url: string
  /** Number of replies that were dropped, duplicated or swapped. */
  readonly confused: number
  /** Changes the mode of all connections, including open ones. */
  set(mode: ProxyMode): void
  /** Stops the proxy and ends its connections. */
  close(): Promise<void>
}

/** Options of `startFaultProxy()`. */
export interface FaultProxyOptions {
  /** The server behind the proxy. Default host: `127.0.0.1`. */
  readonly target:
    | {
        /** Host of the server. */
        readonly host?: string
        /** Port of the server. */
        readonly port: number
      }
    | {
        /** Unix socket of the server. */
        readonly path: string
      }
  /** Splits the server's data into complete replies and a rest, for `confuse`. Default: `splitRespReplies`. */
  readonly splitReplies?: (bytes: Buffer) => {
    /** Complete replies. */
    readonly replies: readonly Buffer[]
    /** The beginning of an incomplete reply. */
    readonly rest: Buffer
  }
  /** Random source, 0 to 1. Default: `Math.random`. */
  readonly random?: () => number
}

/** Listens on a free port of the loopback interface. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { target, splitReplies = splitRespReplies, random = Math.random } = options
  const sockets = new Set<Socket>()
  let mode: ProxyMode = { kind: 'pass' }
  let confused = 0

  const confuse = (replies: readonly Buffer[], chance: number): Buffer[] => {
    const out: Buffer[] = []
    for (const reply of replies) {
      const last = out.at(-1)
      if (random() >= chance) out.push(reply)
      else {
        confused++
        const how = random()
        if (how < 0.3) out.push(reply, reply)
        else if (how < 0.6 && last) out.splice(-1, 1, reply, last)
        // Dropped: from here on every reply goes to the wrong call.
      }
    }
    return out
  }

  const relay = (from: Socket, to: Socket, isReply: boolean): void => {
    let rest = Buffer.alloc(0)
    from.on('data', (chunk: Buffer) => {
      const write = (bytes: Buffer): void => {
        if (to.writable) to.write(bytes)
      }
      switch (mode.kind) {
        case 'swallow':
          return
        case 'delay':
          setTimeout(write, mode.ms, chunk)
          return
        case 'drip':
          if (isReply) drip(chunk, write, mode.bytesPerSecond)
          else write(chunk)
          return
        case 'truncate':
          if (!isReply) write(chunk)
          else {
            mode = { kind: 'pass' }
            to.end(chunk.subarray(0, Math.floor(chunk.length / 2)))
            from.destroy()
          }
          return
        case 'confuse': {
          if (!isReply) return write(chunk)
          const split = splitReplies(Buffer.concat([rest, chunk]))
          rest = Buffer.from(split.rest)
          const replies = confuse(split.replies, mode.chance)
          if (replies.length > 0) write(Buffer.concat(replies))
          return
        }
        default:
          write(chunk)
      }
    })
  }

  const server: Server = createServer((client) => {
    if (mode.kind === 'cut') {
      client.resetAndDestroy()
      return
    }
    const upstream = connect('path' in target ? target : { host: target.host ?? '127.0.0.1', port: target.port })
    client.pause()
    upstream.once('connect', () => client.resume())
    for (const [from, to, isReply] of [
      [client, upstream, false],
      [upstream, client, true],
    ] as const) {
      sockets.add(from)
      from.setNoDelay(true)
      relay(from, to, isReply)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        // While data is swallowed, the peer does not see the end either.
        if (mode.kind !== 'swallow') to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get confused() {
      return confused
    },
    set(next) {
      // Swallowed data is missing: if the connection continued, its replies would be misaligned.
      const isBroken = mode.kind === 'swallow' && next.kind !== 'swallow'
      mode = next
      if (isBroken || next.kind === 'cut') for (const socket of sockets) reset(socket)
    },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

/** A socket that is still connecting would be reset later, once for each request to reset it. */
function reset(socket: Socket): void {
  if (socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}

function drip(bytes: Buffer, write: (bytes: Buffer) => void, perSecond: number): void {
  for (const [i, byte] of bytes.entries()) setTimeout(write, (i * 1000) / perSecond, Buffer.of(byte)).unref()
}

const LINE_END = Buffer.from('\r\n')

/** Splits complete replies of the Redis protocol, versions 2 and 3. https://redis.io/docs/latest/develop/reference/protocol-spec/ */
export function splitRespReplies(bytes: Buffer): {
  /** Complete replies. */
  replies: Buffer[]
  /** The beginning of an incomplete reply. */
  rest: Buffer
} {
  const replies: Buffer[] = []
  let start = 0
  for (;;) {
    const end = endOfReply(bytes, start)
    if (end === null) return { replies, rest: bytes.subarray(start) }
    replies.push(bytes.subarray(start, end))
    start = end
  }
}

/** End of the reply that begins at `start`; `null` if the reply is incomplete. */
function endOfReply(bytes: Buffer, start: number): number | null {
  const lineEnd = bytes.indexOf(LINE_END, start)
  if (lineEnd < 0) return null
  const next = lineEnd + LINE_END.length
  const type = String.fromCharCode(bytes[start] ?? 0)
  const count = Number(bytes.toString('latin1', start + 1, lineEnd))
  if ('$=!'.includes(type)) {
    if (count < 0) return next
    const end = next + count + LINE_END.length
    return end <= bytes.length ? end : null
  }
  if (!'*%~>'.includes(type)) return next
  const parts = Math.max(0, count) * (type === '%' ? 2 : 1)
  let end: number | null = next
  for (let i = 0; i < parts && end !== null; i++) end = endOfReply(bytes, end)
  return end
}
