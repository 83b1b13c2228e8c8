/** The answer of `INFO`, field by field. It is allowed where `CONFIG` is not: on managed services, and for a small ACL user. */
import { isCoatcheckError } from '../../core/errors.ts'
import type { RedisReply, ServerPort } from '../../redis/client-port.ts'
import { infoFields } from '../info-fields.ts'

/** Of a server that is busy: everything else here waits for it too. */
export const LOOK_MS = 3000

export class ServerInfo {
  readonly #fields: ReadonlyMap<string, string>

  constructor(text: string) {
    this.#fields = infoFields(text)
  }

  text(name: string): string | null {
    return this.#fields.get(name) ?? null
  }

  /** `null` when the server does not say it. */
  number(name: string): number | null {
    const value = this.#fields.get(name)
    return value === undefined || value === '' || Number.isNaN(Number(value)) ? null : Number(value)
  }

  /** Fields with this beginning, in their order. */
  all(beginning: string): readonly (readonly [name: string, value: string])[] {
    return [...this.#fields].filter(([name]) => name.startsWith(beginning))
  }
}

/** One server under examination. */
export interface ServerLook {
  readonly port: ServerPort
  /** How findings name it: `null` when there is only one. */
  readonly server: string | null
  /** `null`: it does not say anything about itself. */
  readonly info: ServerInfo | null
}

/** @returns `null` where `INFO` is not allowed. @throws {RedisError} */
export async function serverInfoOf(port: ServerPort): Promise<ServerInfo | null> {
  const reply = await ifAllowed(port, ['INFO'])
  return reply === null ? null : new ServerInfo(replyText(reply))
}

/** Of a reply that is a text, or a number. */
export function replyText(reply: RedisReply): string {
  return Buffer.isBuffer(reply) || typeof reply === 'number' ? reply.toString() : ''
}

/** `null` for what the ACL or a managed service refuses, or the server does not know. @throws {RedisError} */
export async function ifAllowed(port: ServerPort, args: readonly string[], key = ''): Promise<RedisReply> {
  try {
    return await port.command(key, args, { deadlineMs: LOOK_MS })
  } catch (error) {
    if (isCoatcheckError(error) && /_(?:NOPERM|PROTOCOL|ERROR)$/.test(error.code)) return null
    throw error
  }
}
