// What the master knows about one of its threads, worker, mule or spooler: its state, how it ended, its port of calls.
// (host/worker/ is what runs in the thread.)

import { type MessagePort, Worker as WorkerThread } from 'node:worker_threads'
import { thrownText } from '../plugin/thrown.ts'
import type { AppFailure, MasterMessage, ThreadPlan, ThreadStart, WorkerMessage } from '../worker/messages.ts'

export interface ThreadEvents {
  booted(plan: ThreadPlan, what: string, milliseconds: number): void
  app(plan: ThreadPlan, app: Extract<WorkerMessage, { kind: 'app' }>): void
  appFailed(plan: ThreadPlan, failure: AppFailure): void
  /** Threads that are started from now on are to be without this plugin. */
  pluginLost(plan: ThreadPlan, name: string, reason: string): void
  ready(plan: ThreadPlan): void
  parcel(plan: ThreadPlan, id: number, bytes: Uint8Array): void
  /** The thread is gone. `reason` is undefined for an end that was asked for. */
  ended(plan: ThreadPlan, reason: string | undefined): void
}

/** `worker 1`, `mule 2`, `spooler 1`. */
export const threadName = ({ identity }: ThreadPlan): string =>
  `${identity.kind} ${identity.workerId + identity.muleId + identity.spoolerId}`

export class ThreadHandle {
  readonly plan: ThreadPlan
  readonly startedAt = performance.now()
  isReady = false
  readonly #thread: WorkerThread
  #isStopping = false
  #reason: string | undefined
  readonly #ended: Promise<void>

  constructor(entry: string, start: ThreadStart, events: ThreadEvents) {
    const { plan } = start
    this.plan = plan
    const thread = new WorkerThread(new URL(entry), {
      workerData: start,
      transferList: [start.callPort as MessagePort],
      // Linux shows fifteen characters of it beside the process (ps -L, top -H).
      name: `polywsgi ${threadName(plan)}`,
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
    // Code of a plugin can throw anything, nothing at all too.
    thread.on('error', (error: unknown) => {
      this.#reason ??= thrownText(error)
    })
    this.#ended = new Promise((resolve) => {
      thread.on('exit', (code) => {
        const wasAsked = this.#isStopping && this.#reason === undefined
        events.ended(plan, wasAsked ? undefined : (this.#reason ?? `its thread exited with code ${code}`))
        resolve()
      })
    })
  }

  /** It was told to end. What it was asked before is still answered. */
  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Lets the thread finish what it runs; it is ended where it stands when that takes longer than `patienceMs`. */
  async stop(patienceMs: number): Promise<void> {
    this.#isStopping = true
    this.#thread.postMessage({ kind: 'stop' } satisfies MasterMessage)
    const timer = setTimeout(() => void this.#thread.terminate(), patienceMs)
    await this.#ended
    clearTimeout(timer)
  }

  /** Ends the thread wherever it is. With a reason that is no end that was asked for. */
  async terminate(reason: string | undefined): Promise<void> {
    if (reason === undefined) this.#isStopping = true
    else this.#reason ??= reason
    await this.#thread.terminate()
    await this.#ended
  }

  #receive(message: WorkerMessage, events: ThreadEvents): void {
    switch (message.kind) {
      case 'booted':
        return events.booted(this.plan, message.what, message.milliseconds)
      case 'app':
        return events.app(this.plan, message)
      case 'app-failed':
        return events.appFailed(this.plan, message.failure)
      case 'ready':
        this.isReady = true
        return events.ready(this.plan)
      case 'plugin-lost':
        this.#isStopping = true
        return events.pluginLost(this.plan, message.name, message.reason)
      case 'leaving':
        this.#isStopping = true
        return
      case 'parcel':
        return events.parcel(this.plan, message.id, message.bytes)
      case 'fatal':
        this.#reason ??= message.reason
    }
  }
}
