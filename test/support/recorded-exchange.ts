/** What `http-recorder.mjs` has written down, and how to have a process record. */
import { existsSync, readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'

export interface RecordedExchange {
  /** Of the server. */
  readonly port: number
  readonly request: {
    readonly method: string
    readonly url: string
    readonly headers: IncomingHttpHeaders
    readonly body: string
  }
  readonly response: {
    readonly status: number
    /** Status line and all header lines as they were sent. */
    readonly head: string
    readonly body: string
  }
}

/** Environment of a process that is to record into `file`, its child processes included. */
export function recordingEnvironment(file: string): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import=${new URL('http-recorder.mjs', import.meta.url).href}`, HTTP_RECORD: file }
}

/** In the order in which the responses ended. */
export function readExchanges(file: string): readonly RecordedExchange[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as RecordedExchange)
}

/** Header lines as `[lower-case name, value]`, repeated ones repeated. */
export function headerLines({ response }: RecordedExchange): readonly (readonly [string, string])[] {
  const lines = response.head.split('\r\n').slice(1)
  return lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const]
  })
}
