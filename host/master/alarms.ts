// Alarms: messages for whoever runs the server, delivered by the master in one of several ways.
// Invariant: raising one never throws and never waits; whatever goes wrong is a line in the log, and no line written here
// raises an alarm.
import { spawn } from 'node:child_process'
import { alarmLinePrefix, type LogAlarmPlan } from '../log/log-alarms.ts'

export type AlarmDelivery =
  /** A line in the log. `label` stands in its brackets. */
  | { readonly kind: 'log'; readonly label: string }
  /** A shell command with the message on its standard input. */
  | { readonly kind: 'cmd'; readonly command: string }
  | { readonly kind: 'signal'; readonly signum: number }
  /** A message to a mule (0: any) or one mule of a farm. */
  | { readonly kind: 'mule'; readonly target: number | string }
  /** The message is posted to a URL, the alarm's name in a header. */
  | { readonly kind: 'http'; readonly url: string }

export interface AlarmPlan {
  readonly name: string
  readonly delivery: AlarmDelivery
}

/** All that a configuration says about alarms. */
export interface AlarmPlans {
  readonly alarms: readonly AlarmPlan[]
  /** Lines of the log that raise some: see `logAlarmWatcher`. */
  readonly logAlarms: readonly LogAlarmPlan[]
  /** The same message again within this time is dropped (`alarm-freq`). */
  readonly freqMs: number
  /** Longer messages are cut (`alarm-msg-size`). */
  readonly maxBytes: number
}

export interface AlarmsOptions {
  readonly plans: Omit<AlarmPlans, 'logAlarms'>
  log(line: string): void
  /** @returns false when the signal was dropped */
  raiseSignal(signum: number): boolean
  /** @returns false when the queue is full */
  sendToMule(message: Uint8Array, target: number | string): boolean
  /** Milliseconds on a clock that never goes back. */
  now?(): number
  /** How long a command or a request may take. */
  readonly timeoutMs?: number
}

/** Commands and requests at once, and how many more may wait: a storm of alarms must not become one of processes. */
const maxRunning = 4
const maxWaiting = 64
const defaultTimeoutMs = 60_000
/** Of what a failed command said on stderr, the end. */
const maxComplaint = 500

interface State {
  readonly plan: AlarmPlan
  lastMessage: Buffer | undefined
  lastMs: number
}

export class Alarms {
  readonly #options: AlarmsOptions
  readonly #now: () => number
  readonly #timeoutMs: number
  readonly #states: ReadonlyMap<string, State>
  readonly #waiting: (() => Promise<void>)[] = []
  readonly #ends = new Set<() => void>()
  #running = 0
  #isClosed = false
  #onIdle: (() => void) | undefined

  constructor(options: AlarmsOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    this.#states = new Map(options.plans.alarms.map((plan) => [plan.name, { plan, lastMessage: undefined, lastMs: 0 }]))
  }

  get names(): readonly string[] {
    return [...this.#states.keys()]
  }

  raise(name: string, message: Uint8Array): void {
    try {
      this.#raise(name, message)
    } catch (error) {
      this.#say(name, `failed: ${(error as Error).message}`)
    }
  }

  /** Ends what runs and forgets what waits. Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#waiting.length = 0
    for (const end of this.#ends) end()
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  #raise(name: string, given: Uint8Array): void {
    if (this.#isClosed) return
    const state = this.#states.get(name)
    if (state === undefined) {
      const known = this.#states.size === 0 ? 'none is configured' : `there are ${this.names.join(', ')}`
      this.#say(name, `is unknown: ${known}`)
      return
    }
    const { freqMs, maxBytes } = this.#options.plans
    const message = Buffer.from(given.subarray(0, maxBytes))
    const now = this.#now()
    const isRepeated = state.lastMessage?.equals(message) === true && now - state.lastMs < freqMs
    if (isRepeated) return
    state.lastMessage = message
    state.lastMs = now
    if (given.length > maxBytes)
      this.#say(name, `has a message of ${given.length} bytes: it is cut to ${maxBytes} (alarm-msg-size)`)
    this.#deliver(state.plan, message)
  }

  #deliver({ name, delivery }: AlarmPlan, message: Buffer): void {
    const { log, raiseSignal, sendToMule } = this.#options
    switch (delivery.kind) {
      case 'log':
        // Each line on its own: none may look as if another part of the server had written it.
        for (const line of message.toString('utf8').replace(/\n$/, '').split('\n'))
          log(`${alarmLinePrefix} ${delivery.label}] ${line}`)
        break
      case 'signal':
        if (!raiseSignal(delivery.signum)) this.#say(name, `failed: signal ${delivery.signum} was dropped`)
        break
      case 'mule':
        if (!sendToMule(message, delivery.target)) this.#say(name, 'failed: the queue of the mule is full')
        break
      case 'cmd':
        this.#enqueue(name, () => this.#command(name, delivery.command, message))
        break
      case 'http':
        this.#enqueue(name, () => this.#post(name, delivery.url, message))
    }
  }

  #enqueue(name: string, work: () => Promise<void>): void {
    // Where no process can be made at all, what spawn() returns lacks its pipes.
    const task = (): Promise<void> => work().catch((error: Error) => this.#say(name, `failed: ${error.message}`))
    if (this.#running < maxRunning) this.#start(task)
    else if (this.#waiting.length < maxWaiting) this.#waiting.push(task)
    else this.#say(name, `was dropped: ${maxRunning} alarms are under way, and ${maxWaiting} wait`)
  }

  #start(task: () => Promise<void>): void {
    this.#running += 1
    void task().finally(() => {
      this.#running -= 1
      const next = this.#waiting.shift()
      if (next !== undefined) this.#start(next)
      else if (this.#running === 0) this.#onIdle?.()
    })
  }

  /** Resolves in any case, once the command is gone. */
  #command(name: string, command: string, message: Buffer): Promise<void> {
    return new Promise((resolve) => {
      // In a process group of its own, so that what the shell has started ends with it.
      const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'ignore', 'pipe'], detached: true })
      let complaint = ''
      let isOver = false
      const end = (): void => {
        if (child.pid === undefined) return
        try {
          process.kill(-child.pid, 'SIGKILL')
        } catch {
          // It has ended by itself.
        }
      }
      const timer = setTimeout(() => {
        isOver = true
        end()
      }, this.#timeoutMs)
      this.#ends.add(end)
      const finish = (problem: string | undefined): void => {
        clearTimeout(timer)
        this.#ends.delete(end)
        child.stderr.destroy()
        if (problem !== undefined && !this.#isClosed) this.#say(name, `failed: ${problem}`)
        resolve()
      }
      child.on('error', (error) => finish(`/bin/sh cannot be run: ${error.message}`))
      // A command that does not read its input may be gone before all is written.
      child.stdin.on('error', () => {})
      child.stdin.end(message)
      child.stderr.setEncoding('utf8')
      child.stderr.on('data', (text: string) => (complaint = (complaint + text).slice(-maxComplaint)))
      // Not 'close': a process the command has left in the background may hold the pipe open for ever.
      child.on('exit', (code, signal) => {
        if (code === 0) finish(undefined)
        else if (isOver) finish(`the command took longer than ${this.#timeoutMs / 1000} seconds and was ended`)
        // What was written last may still be in the pipe.
        else setImmediate(() => finish(`the command ended with ${signal ?? `status ${code}`}${told(complaint)}`))
      })
    })
  }

  async #post(name: string, url: string, message: Buffer): Promise<void> {
    const controller = new AbortController()
    const end = (): void => controller.abort()
    this.#ends.add(end)
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Alarm': name },
        body: Uint8Array.from(message),
        redirect: 'error',
        signal: AbortSignal.any([controller.signal, AbortSignal.timeout(this.#timeoutMs)]),
      })
      await response.body?.cancel()
      if (!response.ok) this.#say(name, `failed: ${url} answered ${response.status}`)
    } catch (error) {
      const { message: outer, cause } = error as Error
      const inner = cause instanceof Error ? `: ${cause.message}` : ''
      if (!this.#isClosed) this.#say(name, `failed: ${url}: ${outer}${inner}`)
    } finally {
      this.#ends.delete(end)
    }
  }

  #say(name: string, what: string): void {
    this.#options.log(`${alarmLinePrefix}] alarm '${name}' ${what}`)
  }
}

const told = (complaint: string): string => (complaint.trim() === '' ? '' : `: ${complaint.trim()}`)
