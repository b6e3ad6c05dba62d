// The life of a mule without a program of its own: signals and messages, one after the other, in the thread's event loop, so
// that what guests have begun (timers, promises) goes on between them.
// Invariant: one message at a time, the next one only when the handler of the last has settled; a handler that fails is
// logged and the mule lives on.
import type { Log } from '../api/context.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { guestReport, hookFailure } from '../plugin/plugin-hooks.ts'
import { isFatal, promised, thrownMessage } from '../plugin/thrown.ts'
import type { Doorbell } from '../state/doorbell.ts'

/** After this many messages in a row the event loop gets its turn. */
const burst = 64

export interface MuleLoopOptions {
  readonly muleId: number
  readonly doorbell: Doorbell
  /** Takes the next message; undefined when there is none. */
  take(): Uint8Array | undefined
  /** Runs the handlers of signals that have come. True: more may wait. */
  handleSignals(): boolean
  /** Around each message, until its handler has settled: it may take only so long. */
  workBegins?(): void
  workEnds?(): void
  readonly plugins: readonly Plugin[]
  readonly log: Log
  /** An interpreter is lost: the thread must end. */
  onFatal(reason: string): void
}

export class MuleLoop {
  readonly #options: MuleLoopOptions
  #attention: { close(): void } | undefined
  #isStopping = false
  /** The handler that has not settled yet. */
  #handling: Promise<void> | undefined

  constructor(options: MuleLoopOptions) {
    this.#options = options
  }

  start(): void {
    this.#attention = this.#options.doorbell.attend(
      () => this.#look(),
      // A handler that waits for something needs the event loop.
      () => this.#handling === undefined,
    )
  }

  /** Takes nothing more. Resolves when the handler that runs is done. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#attention?.close()
    await this.#handling
  }

  /** @returns true when it stopped early although more may wait */
  #look(): boolean {
    const { take, handleSignals } = this.#options
    if (this.#isStopping) return false
    if (handleSignals()) return true
    for (let count = 0; count < burst; count += 1) {
      if (this.#handling !== undefined || this.#isStopping) return false
      const message = take()
      if (message === undefined) return false
      this.#options.workBegins?.()
      const handling = this.#handle(message, 0)
      if (handling === undefined) {
        this.#options.workEnds?.()
        continue
      }
      this.#handling = handling.then(() => {
        this.#handling = undefined
        this.#options.workEnds?.()
        // Messages may have come meanwhile, and those that rang were passed over.
        this.#options.doorbell.ring()
      })
    }
    return true
  }

  /**
   * Offers the message to one plugin after the other, from number `first` on. A handler that is no promise is done when this
   * returns, which saves most messages a turn of the event loop.
   */
  #handle(message: Uint8Array, first: number): Promise<void> | undefined {
    const { plugins, log, muleId } = this.#options
    for (let index = first; index < plugins.length; index += 1) {
      const plugin = plugins[index] as Plugin
      try {
        const outcome = plugin.muleMsg?.(message)
        if (outcome === true) return undefined
        const later = promised<boolean>(outcome as boolean | Promise<boolean>)
        if (later === undefined) continue
        return later.then(
          (isHandled) => (isHandled ? undefined : this.#handle(message, index + 1)),
          (error: unknown) => this.#failed(plugin, error),
        )
      } catch (error) {
        this.#failed(plugin, error)
        return undefined
      }
    }
    log.text(`*** mule ${muleId} received a ${message.length} bytes message ***`)
    return undefined
  }

  #failed(plugin: Plugin, error: unknown): void {
    const { log, muleId, onFatal } = this.#options
    log.text(guestReport(plugin, error) ?? `mule ${muleId}: ${hookFailure(plugin, 'muleMsg', error)}`)
    if (!isFatal(error) || this.#isStopping) return
    this.#isStopping = true
    onFatal(thrownMessage(error))
  }
}
