// What the master knows about one worker: its thread, its state, how it ended. (host/worker/ is what runs in the thread.)

import { Worker as WorkerThread } from 'node:worker_threads'
import type { AppFailure, MasterMessage, WorkerMessage, WorkerStart } from '../worker/messages.ts'

export interface WorkerEvents {
  booted(workerId: number, what: string, milliseconds: number): void
  app(workerId: number, app: Extract<WorkerMessage, { kind: 'app' }>): void
  appFailed(workerId: number, failure: AppFailure): void
  ready(workerId: number): void
  /** The thread is gone. `reason` is undefined for an end that was asked for. */
  ended(workerId: number, reason: string | undefined): void
}

export class WorkerHandle {
  readonly workerId: number
  readonly startedAt = performance.now()
  isReady = false
  readonly #thread: WorkerThread
  #isStopping = false
  #reason: string | undefined
  readonly #ended: Promise<void>

  constructor(entry: string, start: WorkerStart, events: WorkerEvents) {
    this.workerId = start.workerId
    const thread = new WorkerThread(new URL(entry), {
      workerData: start,
      name: `polywsgi worker ${start.workerId}`,
      // Guests have no use for what the embedding program prints, reads, or was started with.
      stdin: false,
      env: process.env['TZ'] === undefined ? {} : { TZ: process.env['TZ'] },
      execArgv: [],
      // What a worker's own JavaScript allocates dies with its request: a small nursery collects it as well as V8's
      // default of up to 48 MB would, and the difference is memory of every worker.
      // The stack is what guests may recurse on: QuickJS and CPython count theirs by it.
      resourceLimits: { maxYoungGenerationSizeMb: 12, stackSizeMb: 8 },
    })
    this.#thread = thread
    thread.on('message', (message: WorkerMessage) => this.#receive(message, events))
    thread.on('error', (error: Error) => {
      this.#reason ??= error.stack ?? String(error)
    })
    this.#ended = new Promise((resolve) => {
      thread.on('exit', (code) => {
        const wasAsked = this.#isStopping && this.#reason === undefined
        events.ended(this.workerId, wasAsked ? undefined : (this.#reason ?? `its thread exited with code ${code}`))
        resolve()
      })
    })
  }

  /** Lets the worker finish what it runs. Resolves when its thread is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#thread.postMessage({ kind: 'stop' } satisfies MasterMessage)
    await this.#ended
  }

  /** Ends the thread wherever it is. */
  async terminate(reason: string | undefined): Promise<void> {
    this.#isStopping = true
    if (reason !== undefined) this.#reason ??= reason
    await this.#thread.terminate()
    await this.#ended
  }

  #receive(message: WorkerMessage, events: WorkerEvents): void {
    switch (message.kind) {
      case 'booted':
        return events.booted(this.workerId, message.what, message.milliseconds)
      case 'app':
        return events.app(this.workerId, message)
      case 'app-failed':
        return events.appFailed(this.workerId, message.failure)
      case 'ready':
        this.isReady = true
        return events.ready(this.workerId)
      case 'fatal':
        this.#reason ??= message.reason
    }
  }
}
