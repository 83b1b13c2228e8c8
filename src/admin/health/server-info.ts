/** Parses the reply of `INFO`. Managed services and restricted ACL users may run it, unlike `CONFIG`. */
import { isCoatcheckError } from '../../core/errors.ts'
import type { RedisReply, ServerPort } from '../../redis/client-port.ts'
import { infoFields } from '../info-fields.ts'

/** Deadline for a busy server: all further checks wait for this reply. */
export const CHECK_DEADLINE_MS = 3000

export class ServerInfo {
  readonly #fields: ReadonlyMap<string, string>

  constructor(text: string) {
    this.#fields = infoFields(text)
  }

  text(name: string): string | null {
    return this.#fields.get(name) ?? null
  }

  /** `null` if the server does not report the field. */
  number(name: string): number | null {
    const value = this.#fields.get(name)
    return value === undefined || value === '' || Number.isNaN(Number(value)) ? null : Number(value)
  }

  /** Fields with this prefix, in their order. */
  all(beginning: string): readonly (readonly [name: string, value: string])[] {
    return [...this.#fields].filter(([name]) => name.startsWith(beginning))
  }
}

/** One server under examination. */
export interface ServerReport {
  readonly port: ServerPort
  /** Server name for findings. `null`: there is only one server. */
  readonly server: string | null
  /** `null`: `INFO` is not allowed. */
  readonly info: ServerInfo | null
}

/**
 * @returns `null` if `INFO` is not allowed
 * @throws {RedisError}
 */
export async function serverInfoOf(port: ServerPort): Promise<ServerInfo | null> {
  const reply = await ifAllowed(port, ['INFO'])
  return reply === null ? null : new ServerInfo(replyText(reply))
}

/** Text of a text or number reply. */
export function replyText(reply: RedisReply): string {
  return Buffer.isBuffer(reply) || typeof reply === 'number' ? reply.toString() : ''
}

/**
 * Returns `null` for a command that the ACL or a managed service refuses, or that the server does not know.
 * @throws {RedisError}
 */
export async function ifAllowed(port: ServerPort, args: readonly string[], key = ''): Promise<RedisReply> {
  try {
    return await port.command(key, args, { deadlineMs: CHECK_DEADLINE_MS })
  } catch (error) {
    if (isCoatcheckError(error) && /_(?:NOPERM|PROTOCOL|ERROR)$/.test(error.code)) return null
    throw error
  }
}
