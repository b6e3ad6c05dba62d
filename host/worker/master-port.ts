// A thread's line to the master for what shared memory cannot do: calls, which park the thread until they are answered,
// notices, which do not, and functions of this thread that the master runs for others.
// Invariant: a parked thread still serves the master's requests, so two threads that call each other do not wait for ever.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { MasterCalls, MasterCallTable, MasterNoticeTable } from '../api/master-calls.ts'
import type { Doorbell } from '../state/doorbell.ts'
import type { MasterToThread, ThreadToMaster } from './call-messages.ts'
import { fromCrossed, toCrossed } from './crossed-error.ts'

type Answer = Extract<MasterToThread, { kind: 'answer' }>

/**
 * @param mayWait the thread is not parked. Where it is, a function that waited for its event loop would wait for what waits for it:
 *   it parks inside instead
 */
export type RunFunction = (
  name: string,
  args: readonly Uint8Array[],
  mayWait: boolean,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>

export interface MasterPortOptions {
  readonly port: MessagePort
  /** This thread's own: the master rings it after every message on the port. */
  readonly doorbell: Doorbell
}

export class MasterPort implements MasterCalls {
  readonly #port: MessagePort
  readonly #doorbell: Doorbell
  /** Answers that came while another call, nested in this one, was waiting for its own. */
  readonly #answers = new Map<number, Answer>()
  /** Who waits for an answer without being parked. */
  readonly #waiters = new Map<number, PromiseWithResolvers<never>>()
  /** Functions that run for others and have not settled. */
  readonly #running = new Set<Promise<void>>()
  #lastId = 0
  /** Runs a function of this thread. Set once there are any. */
  run: RunFunction = () => undefined

  constructor({ port, doorbell }: MasterPortOptions) {
    this.#port = port
    this.#doorbell = doorbell
    port.on('message', (message: MasterToThread) => this.#receive(message, true))
    // A thread that has nothing else to do may end.
    port.unref()
  }

  call<Name extends keyof MasterCallTable>(name: Name, args: MasterCallTable[Name]['args']): MasterCallTable[Name]['result'] {
    this.#lastId += 1
    const id = this.#lastId
    this.#post({ kind: 'call', id, name, args })
    for (;;) {
      const sequence = this.#doorbell.sequence
      this.serve()
      const answer = this.#answers.get(id)
      if (answer === undefined) {
        this.#doorbell.park(sequence)
        continue
      }
      this.#answers.delete(id)
      if ('error' in answer.outcome) throw fromCrossed(answer.outcome.error)
      return answer.outcome.value as MasterCallTable[Name]['result']
    }
  }

  callAsync<Name extends keyof MasterCallTable>(
    name: Name,
    args: MasterCallTable[Name]['args'],
  ): Promise<MasterCallTable[Name]['result']> {
    this.#lastId += 1
    const waiter = Promise.withResolvers<never>()
    this.#waiters.set(this.#lastId, waiter)
    this.#post({ kind: 'call', id: this.#lastId, name, args })
    return waiter.promise
  }

  /** How many calls are under way that nobody is parked for. */
  get waiting(): number {
    return this.#waiters.size
  }

  notify<Name extends keyof MasterNoticeTable>(name: Name, notice: MasterNoticeTable[Name]): void {
    this.#post({ kind: 'notice', name, notice })
  }

  /** Handles what has come so far. For whoever keeps the thread from its event loop. */
  serve(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: MasterToThread } | undefined
      if (received === undefined) return
      this.#receive(received.message, false)
    }
  }

  /** Before the thread ends: resolves when all that others have asked of it so far is answered. */
  async finish(): Promise<void> {
    this.serve()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** @param mayWait the event loop turns: what it leaves waiting goes on */
  #receive(message: MasterToThread, mayWait: boolean): void {
    if (message.kind === 'run') return this.#run(message, mayWait)
    const waiter = this.#waiters.get(message.id)
    if (waiter === undefined) {
      this.#answers.set(message.id, message)
      return
    }
    this.#waiters.delete(message.id)
    const { outcome } = message
    if ('error' in outcome) waiter.reject(fromCrossed(outcome.error))
    else waiter.resolve(outcome.value as never)
  }

  #run({ id, name, args }: Extract<MasterToThread, { kind: 'run' }>, mayWait: boolean): void {
    const succeed = (value: Uint8Array | undefined): void => this.#post({ kind: 'ran', id, outcome: { value } })
    const fail = (error: unknown): void => this.#post({ kind: 'ran', id, outcome: { error: toCrossed(error) } })
    try {
      const result = this.run(name, args, mayWait)
      if (!(result instanceof Promise)) return succeed(result)
      const settled: Promise<void> = result
        .then(succeed)
        .catch(fail)
        .finally(() => this.#running.delete(settled))
      this.#running.add(settled)
    } catch (error) {
      fail(error)
    }
  }

  #post(message: ThreadToMaster): void {
    this.#port.postMessage(message)
  }
}
