/**
 * Context of a command: its output, the configuration, the connections that it opens, and the signal for Ctrl-C. Connections that were
 * opened through the context are closed when the command ends, in any case.
 */
import { confirm as ask, isCancel } from '@clack/prompts'
import { type AdminContext, openAdmin, openOldServer, openServer, type ServerContext } from '../entries/admin.ts'
import { setVariable } from '../config/env-files.ts'
import { processEnvironment } from '../config/environment.ts'
import { EventBus } from '../core/events.ts'
import { type ConfigFlags, type LoadedConfig, loadConfig } from './load-config.ts'
import { type OldStoreFlags, oldTarget } from './old-store.ts'
import type { Output } from './output.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** The flags that every command has. */
export interface CommonFlags extends ConfigFlags {
  readonly json?: boolean
}

export class CommandContext {
  readonly terminal: Terminal
  readonly output: Output
  /** Aborted at Ctrl-C: long work stops at the next step, reports its progress, and ends with 130. */
  readonly signal: AbortSignal
  /** Receives the events of the connections that this context opens. */
  readonly events = new EventBus()
  readonly #flags: CommonFlags
  readonly #closing: (() => Promise<unknown>)[] = []
  #config: Promise<LoadedConfig> | null = null

  constructor(terminal: Terminal, output: Output, flags: CommonFlags, signal: AbortSignal) {
    this.terminal = terminal
    this.output = output
    this.#flags = flags
    this.signal = signal
  }

  /** @throws {ConfigError} */
  config(): Promise<LoadedConfig> {
    this.#config ??= loadConfig(this.terminal.folder, this.#flags)
    return this.#config
  }

  /**
   * Opens the configured Redis. Needs no key.
   * @throws {ConfigError | RedisError}
   */
  async server(): Promise<ServerContext> {
    const { options } = await this.config()
    return this.#connected(await openServer(options, this.events))
  }

  /**
   * Opens the Redis of the old library, if a flag or a variable names another one. `null`: it is the configured one.
   * @throws {ConfigError | RedisError}
   */
  async oldServer(flags: OldStoreFlags): Promise<ServerContext | null> {
    await this.config()
    const target = oldTarget(flags, processEnvironment())
    return target && this.#connected(await openOldServer(target, this.events))
  }

  /**
   * Opens everything in the configuration.
   * @throws {ConfigError | KeyringError | RedisError}
   */
  async admin(): Promise<AdminContext> {
    const options = await this.quietOptions()
    return this.#connected(await openAdmin(options, this.events))
  }

  /** Options for code that logs like an application. Its warnings are silenced, because the command reports them itself in more detail. */
  async quietOptions(): Promise<LoadedConfig['options']> {
    const { options } = await this.config()
    const { COATCHECK_LOG, DEBUG } = processEnvironment()
    if (COATCHECK_LOG === undefined && DEBUG === undefined && options.logger === undefined)
      setVariable('COATCHECK_LOG', 'error')
    return options
  }

  /**
   * Asks before a destructive action. `--yes` skips the question, and is required without a terminal.
   * @param consequence what will happen, as a sentence
   * @throws {UsageError} without a terminal and without `--yes`
   */
  async confirm(consequence: string, flags: { readonly yes?: boolean }): Promise<boolean> {
    if (flags.yes === true) return true
    if (!this.terminal.isInteractive) {
      throw new UsageError(`${consequence} There is no terminal to ask: confirm it with --yes.`)
    }
    const answer = await ask({ message: `${consequence} Continue?`, initialValue: false, output: process.stderr })
    return !isCancel(answer) && answer
  }

  /** Registers a close function for the end of the command. The last one runs first. */
  closeLater(close: () => Promise<unknown>): void {
    this.#closing.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close()
  }

  async #connected<Context extends ServerContext>(admin: Context): Promise<Context> {
    this.closeLater(() => admin.close())
    await admin.store.ready()
    return admin
  }
}
