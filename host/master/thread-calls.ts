// The master's end of a thread's port: answers its calls, takes its notices, has its functions run for others.
// Invariant: whatever was asked of a thread is answered or, when the thread ends, refused; nobody waits for the dead. And
// whatever a thread asks is answered, with an error if nothing else can be; nothing that a thread says throws in the master.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { PolywsgiError } from '../errors.ts'
import { thrownText } from '../plugin/thrown.ts'
import type { Doorbell } from '../state/doorbell.ts'
import type { MasterToThread, Outcome, ThreadToMaster } from '../worker/call-messages.ts'
import { fromCrossed, toCrossed } from '../worker/crossed-error.ts'
import type { Caller, CallHandlers, NoticeHandlers } from './call-handlers.ts'

export interface ThreadCallsOptions {
  readonly port: MessagePort
  readonly doorbell: Doorbell
  readonly caller: Caller
  /** What a person reads of the thread: `worker 1`. */
  name(): string
  readonly log: (line: string) => void
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
    const waiter = Promise.withResolvers<Uint8Array | undefined>()
    if (this.#isClosed) {
      waiter.reject(this.#gone(name))
      return waiter.promise
    }
    this.#lastId += 1
    const id = this.#lastId
    try {
      this.#send({ kind: 'run', id, name, args })
      this.#waiting.set(id, waiter)
    } catch (error) {
      // What cannot be copied cannot cross: functions, detached memory.
      const message = `the arguments of ${name} cannot be handed to a thread: ${(error as Error).message}`
      waiter.reject(new PolywsgiError('API_REFUSED', message))
    }
    return waiter.promise
  }

  /** Takes what the thread has said so far: what it says elsewhere must not overtake it. */
  catchUp(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#options.port) as { message: ThreadToMaster } | undefined
      if (received === undefined) return
      this.#receive(received.message)
    }
  }

  /** The thread has ended. What it said before still counts, but nobody waits for answers any more. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.catchUp()
    this.#options.port.close()
    for (const waiter of this.#waiting.values()) waiter.reject(this.#gone('it'))
    this.#waiting.clear()
  }

  #gone(name: string): PolywsgiError {
    return new PolywsgiError('WORKER_DIED', `${this.#options.name()}, which was to run ${name}, has ended`)
  }

  #receive(message: ThreadToMaster): void {
    const { calls, notices, caller } = this.#options
    switch (message.kind) {
      case 'call': {
        // It would be done for nobody.
        if (this.#isClosed) break
        const handle = calls[message.name] as (args: unknown, caller: Caller) => unknown
        void this.#answer(message.id, async () => await handle(message.args, caller))
        break
      }
      case 'notice': {
        const handle = notices[message.name] as (notice: unknown, caller: Caller) => void
        try {
          handle(message.notice, caller)
        } catch (error) {
          const told = thrownText(error)
          this.#options.log(`what ${this.#options.name()} told (${message.name}) could not be heeded: ${told}`)
        }
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
    if (this.#isClosed) return
    try {
      this.#send({ kind: 'answer', id, outcome })
    } catch (error) {
      // The thread is parked until it hears something.
      this.#send({ kind: 'answer', id, outcome: { error: toCrossed(error) } })
    }
  }

  #send(message: MasterToThread): void {
    this.#options.port.postMessage(message)
    this.#options.doorbell.ring()
  }
}
