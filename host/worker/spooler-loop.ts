// The life of a spooler: runs the jobs of one directory, one at a time, in the thread's event loop; handles signals between
// them. It looks into the directory at its start, when woken, when a job falls due, and every `spooler-frequency`.
// Invariant: a job's file goes only after its handler has said that the job is done, so a thread that ends in the middle loses
// nothing; and a job that fails waits longer each time, so it keeps no other from running.
import { lstatSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../api/context.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { guestReport, hookFailure } from '../plugin/plugin-hooks.ts'
import { isFatal, thrownMessage } from '../plugin/thrown.ts'
import type { Doorbell } from '../state/doorbell.ts'
import {
  compareSpoolFiles,
  listSpoolFiles,
  readSpoolFile,
  type SpooledJob,
  type SpoolFile,
  SpoolFileError,
  setAside,
  unfinishedPrefix,
} from './spool-files.ts'
import { retryDelayMs, SpoolTries } from './spool-tries.ts'

/** What handlers answer: uWSGI's SPOOL_OK and SPOOL_IGNORE; whatever else keeps the job. */
const spoolOk = -2
const spoolIgnore = 0

/** A job that nobody has finished writing after this long never will be: its writer is gone. */
const abandonedMs = 3_600_000
/** An ordered spooler that was woken looks for more urgent jobs, this often at most. */
const reorderMs = 1000

export interface Clock {
  /** Milliseconds since the epoch: files and jobs are dated by it. */
  now(): number
  after(milliseconds: number, action: () => void): { cancel(): void }
}

const systemClock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds)
    return { cancel: () => clearTimeout(timer) }
  },
}

export interface SpoolerLoopOptions {
  readonly directory: string
  /** How often to look without being woken. */
  frequencyMs(): number
  /** Jobs of the lowest priority number first. */
  readonly ordered: boolean
  /** After so many tries in a row that raised, or ended the thread, a job is set aside. */
  readonly maxTries: number
  /** No line for a job that is begun or done. */
  readonly quiet: boolean
  readonly doorbell: Doorbell
  /** Runs the handlers of signals that have come. True: more may wait. */
  handleSignals(): boolean
  readonly plugins: readonly Plugin[]
  readonly log: Log
  /** An interpreter is lost: the thread must end. */
  onFatal(reason: string): void
  /** Around each job: for the server's statistics, and since it may take only so long. */
  onBegun?(): void
  onEnded?(isDone: boolean): void
  readonly clock?: Clock
}

/** A job that is kept. */
interface Kept {
  /** Tries in a row that raised or ended the thread. */
  readonly tries: number
  /** Times in a row that a handler kept it. */
  readonly retries: number
  readonly notBefore: number
}

type Outcome =
  | { readonly kind: 'done' | 'ignored' | 'kept' }
  | { readonly kind: 'raised'; readonly plugin: Plugin; readonly error: unknown }

const noTries = { tries: 0, retries: 0, notBefore: 0 }

export class SpoolerLoop {
  readonly #options: SpoolerLoopOptions
  readonly #clock: Clock
  readonly #tries: SpoolTries
  readonly #kept = new Map<string, Kept>()
  /** Done, but their files would not go. */
  readonly #done = new Set<string>()
  #attention: { close(): void } | undefined
  #timer: { cancel(): void } | undefined
  #working: Promise<void> | undefined
  #isWanted = false
  #isStopping = false
  #scanFault = ''

  constructor(options: SpoolerLoopOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#tries = new SpoolTries(options.directory)
  }

  start(): void {
    this.#guarded('what an earlier spooler has left cannot be read', () => this.#recover())
    this.#attention = this.#options.doorbell.attend(
      () => {
        this.#look()
        return false
      },
      // A handler that waits for something needs the event loop.
      () => this.#working === undefined,
    )
  }

  /** Begins no more jobs. Resolves when the one that runs is done. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#attention?.close()
    this.#timer?.cancel()
    await this.#working
  }

  #look(): void {
    this.#isWanted = true
    if (this.#working !== undefined || this.#isStopping) return
    this.#timer?.cancel()
    this.#working = this.#work().finally(() => {
      this.#working = undefined
      // Woken between the last look and here.
      if (this.#isWanted) this.#look()
    })
  }

  async #work(): Promise<void> {
    let nextMs = Number.POSITIVE_INFINITY
    while (this.#isWanted && !this.#isStopping) {
      this.#isWanted = false
      await this.#handleSignals()
      const scannedMs = this.#clock.now()
      const scan = this.#scan(scannedMs)
      nextMs = scan.nextMs
      for (const file of scan.due) {
        if (this.#isStopping) return
        if (this.#isWanted && this.#options.ordered && this.#clock.now() - scannedMs >= reorderMs) break
        await this.#run(file)
        await turn()
        await this.#handleSignals()
        // Looked for anew after the last one: what was kept may be due by now.
        this.#isWanted = true
      }
    }
    if (this.#isStopping) return
    const delayMs = Math.min(nextMs - this.#clock.now(), this.#options.frequencyMs())
    this.#timer = this.#clock.after(Math.max(0, delayMs), () => this.#look())
  }

  async #handleSignals(): Promise<void> {
    while (!this.#isStopping && this.#options.handleSignals()) await turn()
  }

  /** What is due now, in order, and when the next job falls due after that. */
  #scan(now: number): { due: SpoolFile[]; nextMs: number } {
    const due: SpoolFile[] = []
    let nextMs = Number.POSITIVE_INFINITY
    const present = new Set<string>()
    let files: SpoolFile[]
    try {
      files = listSpoolFiles(this.#options.directory)
      this.#scanFault = ''
    } catch (error) {
      const { message } = error as Error
      // Once: it is the same at every look until somebody mends the directory.
      if (message !== this.#scanFault) this.#say(`the directory cannot be read: ${message}`)
      this.#scanFault = message
      return { due, nextMs }
    }
    for (const file of files) {
      present.add(file.name)
      if (this.#done.has(file.name)) continue
      const dueMs = Math.max(file.mtimeMs, this.#kept.get(file.name)?.notBefore ?? 0)
      if (dueMs <= now) due.push(file)
      else nextMs = Math.min(nextMs, dueMs)
    }
    for (const name of this.#kept.keys()) if (!present.has(name)) this.#forget(name)
    return { due: due.sort(compareSpoolFiles(this.#options.ordered)), nextMs }
  }

  async #run(file: SpoolFile): Promise<void> {
    const job = this.#read(file)
    if (job === undefined) return
    const { quiet, onBegun, onEnded } = this.#options
    const kept = this.#kept.get(file.name) ?? noTries
    const begunMs = this.#clock.now()
    const tries = kept.tries + 1
    this.#guarded(`the tries of ${file.name} cannot be counted`, () =>
      this.#tries.write(file.name, { count: tries, lastMs: begunMs }),
    )
    if (!quiet) this.#say(`managing request ${file.name} ...`)
    onBegun?.()
    const outcome = await this.#ask(file, job)
    switch (outcome.kind) {
      case 'done':
        this.#remove(file)
        if (!quiet) this.#say(`done with task ${file.name} after ${Math.floor((this.#clock.now() - begunMs) / 1000)} seconds`)
        break
      case 'raised':
        this.#failed(file, tries, outcome)
        break
      default: {
        if (outcome.kind === 'ignored') {
          this.#options.log.text('unable to find the spooler function, have you loaded it into the spooler process ?')
        }
        const retries = kept.retries + 1
        // A handler that asks to be called again is not ill: it is called as often as uWSGI would, or sooner.
        const delayMs = Math.min(retryDelayMs(retries), this.#options.frequencyMs())
        this.#kept.set(file.name, { tries: 0, retries, notBefore: this.#clock.now() + delayMs })
        this.#guarded(`the tries of ${file.name} cannot be counted`, () => this.#tries.remove(file.name))
      }
    }
    onEnded?.(outcome.kind === 'done')
  }

  /** Undefined: there is nothing to run now. */
  #read(file: SpoolFile): SpooledJob | undefined {
    try {
      return readSpoolFile(file.path)
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      if (error instanceof SpoolFileError) this.#putAside(file, `is no job: ${message}`)
      else if (code !== 'ENOENT') {
        this.#say(`${file.name} cannot be read: ${message}`)
        this.#kept.set(file.name, { ...noTries, notBefore: this.#clock.now() + this.#options.frequencyMs() })
      }
      return undefined
    }
  }

  async #ask(file: SpoolFile, { vars, body }: SpooledJob): Promise<Outcome> {
    for (const plugin of this.#options.plugins) {
      try {
        const answer = await plugin.spooler?.(file.name, vars, body)
        if (answer === undefined || answer === spoolIgnore) continue
        return { kind: answer === spoolOk ? 'done' : 'kept' }
      } catch (error) {
        return { kind: 'raised', plugin, error }
      }
    }
    return { kind: 'ignored' }
  }

  #failed(file: SpoolFile, tries: number, { plugin, error }: { plugin: Plugin; error: unknown }): void {
    const { log, maxTries, onFatal } = this.#options
    log.text(guestReport(plugin, error) ?? hookFailure(plugin, 'spooler', error))
    if (tries >= maxTries) this.#putAside(file, `has failed ${tries} times`)
    else {
      const delayMs = retryDelayMs(tries)
      this.#kept.set(file.name, { tries, retries: 0, notBefore: this.#clock.now() + delayMs })
      this.#say(`${file.name} has failed (try ${tries} of ${maxTries}), the next try is in ${delayMs / 1000} seconds`)
    }
    if (!isFatal(error) || this.#isStopping) return
    this.#isStopping = true
    onFatal(thrownMessage(error))
  }

  #remove(file: SpoolFile): void {
    try {
      unlinkSync(file.path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#done.add(file.name)
        this.#say(`${file.name} is done, but its file cannot be removed: ${(error as Error).message}`)
      }
    }
    this.#forget(file.name)
  }

  /** Differs from uWSGI: it deletes what is no job, and retries for ever what fails. */
  #putAside(file: SpoolFile, why: string): void {
    try {
      const path = setAside(this.#options.directory, file)
      this.#say(`${file.name} ${why}: it is set aside as ${path}`)
      this.#forget(file.name)
    } catch (error) {
      this.#kept.set(file.name, { ...noTries, notBefore: this.#clock.now() + this.#options.frequencyMs() })
      this.#say(`${file.name} ${why}, and cannot be set aside: ${(error as Error).message}`)
    }
  }

  #forget(name: string): void {
    this.#kept.delete(name)
    this.#guarded(`the tries of ${name} cannot be forgotten`, () => this.#tries.remove(name))
  }

  /** What an earlier thread was doing when it ended. */
  #recover(): void {
    const { directory, maxTries } = this.#options
    const left = this.#tries.load()
    for (const file of listSpoolFiles(directory)) {
      const tries = left.get(file.name)
      if (tries === undefined) continue
      left.delete(file.name)
      if (tries.count >= maxTries) this.#putAside(file, `was begun ${tries.count} times and never finished`)
      else this.#kept.set(file.name, { tries: tries.count, retries: 0, notBefore: tries.lastMs + retryDelayMs(tries.count) })
    }
    for (const name of left.keys()) this.#tries.remove(name)
    for (const name of readdirSync(directory)) {
      if (!name.startsWith(unfinishedPrefix)) continue
      const stat = lstatSync(join(directory, name), { throwIfNoEntry: false })
      // `at` dates a file ahead: the time of its last change tells its age.
      if (stat !== undefined && this.#clock.now() - stat.ctimeMs > abandonedMs) unlinkSync(join(directory, name))
    }
  }

  /** The disk may be full or read-only: jobs are run all the same. */
  #guarded(what: string, action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#say(`${what}: ${(error as Error).message}`)
    }
  }

  #say(what: string): void {
    this.#options.log.text(`[spooler ${this.#options.directory} pid: ${process.pid}] ${what}`)
  }
}

/** Lets the thread's timers and messages have their turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
