// What the master knows about one of its threads, worker, mule, spooler or spare: its seat, how far it is, how it ended, its port of
// calls. (host/worker/ is what runs in the thread.)

import { type MessagePort, Worker as WorkerThread } from 'node:worker_threads'
import { PolywsgiError } from '../errors.ts'
import { thrownText } from '../plugin/thrown.ts'
import type { AppFailure, Attachment, MasterMessage, ThreadPlan, ThreadStart, WorkerMessage } from '../worker/messages.ts'

export interface ThreadEvents {
  booted(handle: ThreadHandle, what: string, milliseconds: number): void
  app(handle: ThreadHandle, app: Extract<WorkerMessage, { kind: 'app' }>): void
  appFailed(handle: ThreadHandle, failure: AppFailure): void
  /** Threads that are started from now on are to be without this plugin. */
  pluginLost(handle: ThreadHandle, name: string, reason: string): void
  /** It has loaded its apps, and waits to be attached. */
  loaded(handle: ThreadHandle): void
  ready(handle: ThreadHandle): void
  /** It is to be followed by another. */
  due(handle: ThreadHandle, reason: string): void
  /** It takes nothing more. */
  leaving(handle: ThreadHandle): void
  parcel(handle: ThreadHandle, id: number, bytes: Uint8Array): void
  /** The thread is gone. `reason` is undefined for an end that was asked for. */
  ended(handle: ThreadHandle, reason: string | undefined): void
}

/** `worker 1`, `mule 2`, `spooler 1`; one that is kept for a worker has no number yet. */
export const threadName = ({ identity: { kind, number, workerId, muleId, spoolerId } }: Pick<ThreadPlan, 'identity'>): string =>
  number === 0 ? `spare ${kind}` : `${kind} ${workerId + muleId + spoolerId}`

export class ThreadHandle {
  /** What it is: changes once, for a spare. */
  plan: ThreadPlan
  readonly seat: number
  readonly startedAt = performance.now()
  readonly isFirstStart: boolean
  isLoaded = false
  isReady = false
  /** Its time to finish is over, and it was ended where it stood. */
  hasOverstayed = false
  /** Mountpoints of the apps that it has loaded. */
  readonly apps = new Set<string>()
  readonly failures: AppFailure[] = []
  readonly #thread: WorkerThread
  readonly #loaded = Promise.withResolvers<void>()
  readonly #ready = Promise.withResolvers<void>()
  #isStopping = false
  #reason: string | undefined
  readonly #ended: Promise<void>

  constructor(entry: string, start: ThreadStart, events: ThreadEvents) {
    const { plan } = start
    this.plan = plan
    this.seat = start.seat
    this.isFirstStart = start.hooks?.isFirstStart ?? true
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
    for (const { promise } of [this.#loaded, this.#ready]) promise.catch(() => {})
    thread.on('message', (message: WorkerMessage) => this.#receive(message, events))
    // Code of a plugin can throw anything, nothing at all too.
    thread.on('error', (error: unknown) => {
      this.#reason ??= thrownText(error)
    })
    this.#ended = new Promise((resolve) => {
      thread.on('exit', (code) => {
        const wasAsked = this.#isStopping && this.#reason === undefined
        const reason = wasAsked ? undefined : (this.#reason ?? `its thread exited with code ${code}`)
        const error = new PolywsgiError('WORKER_DIED', `${threadName(this.plan)} could not start: ${reason ?? 'it was ended'}`)
        this.#loaded.reject(error)
        this.#ready.reject(error)
        events.ended(this, reason)
        resolve()
      })
    })
  }

  /** Resolves when its apps are loaded. Rejects with WORKER_DIED when it ends before. */
  get loaded(): Promise<void> {
    return this.#loaded.promise
  }

  /** Resolves when it takes requests, messages or jobs. Rejects with WORKER_DIED when it ends before. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  get ended(): Promise<void> {
    return this.#ended
  }

  /** It was told to end, or has said that it will. What it was asked before is still answered. */
  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Why it has ended, or is about to; undefined for an end that was asked for. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** Microseconds of CPU time that it has taken. Rejects when it has ended. Settles when it runs next, if it waits for the system. */
  async cpuUs(): Promise<number> {
    const { user, system } = await this.#thread.cpuUsage()
    return user + system
  }

  /** Has it begin its work. */
  attach(attachment: Attachment): void {
    this.#send({ kind: 'attach', attachment })
  }

  /** Lets the thread finish what it runs; it is ended where it stands when that takes longer than `patienceMs`. */
  async stop(patienceMs: number): Promise<void> {
    this.#isStopping = true
    this.#send({ kind: 'stop' })
    const timer = setTimeout(() => {
      this.hasOverstayed = true
      void this.#thread.terminate()
    }, patienceMs)
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

  #send(message: MasterMessage): void {
    this.#thread.postMessage(message)
  }

  #receive(message: WorkerMessage, events: ThreadEvents): void {
    switch (message.kind) {
      case 'booted':
        return events.booted(this, message.what, message.milliseconds)
      case 'app':
        this.apps.add(message.mountpoint)
        return events.app(this, message)
      case 'app-failed':
        this.failures.push(message.failure)
        return events.appFailed(this, message.failure)
      case 'loaded':
        this.isLoaded = true
        events.loaded(this)
        return this.#loaded.resolve()
      case 'ready':
        this.isReady = true
        events.ready(this)
        return this.#ready.resolve()
      case 'plugin-lost':
        this.#isStopping = true
        return events.pluginLost(this, message.name, message.reason)
      case 'leaving':
        this.#isStopping = true
        return events.leaving(this)
      case 'due':
        return events.due(this, message.reason)
      case 'parcel':
        return events.parcel(this, message.id, message.bytes)
      case 'fatal':
        this.#reason ??= message.reason
    }
  }
}
