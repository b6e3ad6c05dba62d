// The master's end of a thread's port: answers its calls, takes its notices, has its functions run for others.
// Invariant: whatever was asked of a thread is answered or, when the thread ends, refused; nobody waits for the dead.
import type { MessagePort } from 'node:worker_threads'
import { PolywsgiError } from '../errors.ts'
import type { Doorbell } from '../state/doorbell.ts'
import type { MasterToThread, Outcome, ThreadToMaster } from '../worker/call-messages.ts'
import { fromCrossed, toCrossed } from '../worker/crossed-error.ts'
import type { Caller, CallHandlers, NoticeHandlers } from './call-handlers.ts'

export interface ThreadCallsOptions {
  readonly port: MessagePort
  readonly doorbell: Doorbell
  readonly caller: Caller
  readonly calls: CallHandlers
  readonly notices: NoticeHandlers
}

type Waiter = PromiseWithResolvers<Uint8Array | undefined>

export class ThreadCalls {
  readonly #options: ThreadCallsOptions
  readonly #waiting = new Map<number, Waiter>()
  #lastId = 0
  #isClosed = false

  constructor(options: ThreadCallsOptions) {
    this.#options = options
    options.port.on('message', (message: ThreadToMaster) => this.#receive(message))
    options.port.unref()
  }

  /**
   * Has the thread run one of its functions.
   * @throws whatever the function's error is; PolywsgiError WORKER_DIED when the thread ends meanwhile
   */
  run(name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    if (this.#isClosed) return Promise.reject(this.#gone(name))
    this.#lastId += 1
    const id = this.#lastId
    const waiter = Promise.withResolvers<Uint8Array | undefined>()
    this.#waiting.set(id, waiter)
    this.#send({ kind: 'run', id, name, args })
    return waiter.promise
  }

  /** The thread has ended. */
  close(): void {
    this.#isClosed = true
    this.#options.port.close()
    for (const waiter of this.#waiting.values()) waiter.reject(this.#gone('it'))
    this.#waiting.clear()
  }

  #gone(name: string): PolywsgiError {
    return new PolywsgiError('WORKER_DIED', `thread ${this.#options.caller.thread}, which was to run ${name}, has ended`)
  }

  #receive(message: ThreadToMaster): void {
    const { calls, notices, caller } = this.#options
    switch (message.kind) {
      case 'call': {
        const handle = calls[message.name] as (args: unknown, caller: Caller) => unknown
        void this.#answer(message.id, async () => await handle(message.args, caller))
        break
      }
      case 'notice': {
        const handle = notices[message.name] as (notice: unknown, caller: Caller) => void
        handle(message.notice, caller)
        break
      }
      case 'ran': {
        const waiter = this.#waiting.get(message.id)
        this.#waiting.delete(message.id)
        if ('error' in message.outcome) waiter?.reject(fromCrossed(message.outcome.error))
        else waiter?.resolve(message.outcome.value)
      }
    }
  }

  async #answer(id: number, work: () => Promise<unknown>): Promise<void> {
    let outcome: Outcome<unknown>
    try {
      outcome = { value: await work() }
    } catch (error) {
      outcome = { error: toCrossed(error) }
    }
    if (!this.#isClosed) this.#send({ kind: 'answer', id, outcome })
  }

  #send(message: MasterToThread): void {
    this.#options.port.postMessage(message)
    this.#options.doorbell.ring()
  }
}
