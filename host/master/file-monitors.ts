// File monitors: a signal whenever a file or directory changes. The events of one turn of the event loop are one signal.
// Invariant: no signal before `start`; what changed before it is told then.
import { resolve } from 'node:path'
import type { MasterCallTable } from '../api/master-calls.ts'
import { ApiError, ConfigError } from '../errors.ts'
import { PathWatch } from './path-watch.ts'
import { Registrations } from './registrations.ts'
import { maxClocks } from './scheduler.ts'

export interface FileMonitorPlan {
  readonly signum: number
  readonly path: string
}

export interface FileMonitorsOptions {
  readonly raise: (signum: number) => void
  /** What relative paths start from. */
  readonly cwd: string
}

interface Monitor {
  readonly signum: number
  readonly watch: PathWatch
}

export class FileMonitors {
  readonly #options: FileMonitorsOptions
  readonly #monitors = new Set<Monitor>()
  readonly #registrations = new Registrations<Monitor>()
  /** Monitors with events that are not told yet. */
  readonly #changed = new Set<Monitor>()
  #state: 'waiting' | 'running' | 'closed' = 'waiting'
  #flush: NodeJS.Immediate | undefined

  constructor(options: FileMonitorsOptions) {
    this.#options = options
  }

  /** @throws ApiError API_REFUSED when there are too many, or the path cannot be watched */
  addFileMonitor({ signum, path, registration }: MasterCallTable['addFileMonitor']['args']): undefined {
    this.#registrations.add([signum, path], registration, () => this.#newMonitor(signum, path))
  }

  /**
   * Takes what the configuration asks for; once, before `start`.
   * @throws ConfigError for what `addFileMonitor` refuses
   */
  plan(plans: readonly FileMonitorPlan[]): void {
    for (const { signum, path } of plans) {
      try {
        this.#newMonitor(signum, path)
      } catch (cause) {
        throw new ConfigError('CONFIG_BAD_VALUE', `fs-signal = ${path} ${signum}: ${(cause as Refusal).reason}`, { cause })
      }
    }
  }

  start(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'running'
    this.#tell()
  }

  close(): void {
    this.#state = 'closed'
    clearImmediate(this.#flush)
    for (const monitor of this.#monitors) monitor.watch.close()
    this.#monitors.clear()
  }

  reloadStarted(): void {
    this.#registrations.reloadStarted()
  }

  /** Forgets what the apps as they are now have not registered again. */
  reloadFinished(): void {
    for (const monitor of this.#registrations.reloadFinished()) {
      monitor.watch.close()
      this.#monitors.delete(monitor)
      this.#changed.delete(monitor)
    }
  }

  /** Differs from uWSGI: a path that is not there is refused, where uWSGI says nothing to the caller and watches nothing. */
  #newMonitor(signum: number, path: string): Monitor {
    if (this.#monitors.size >= maxClocks) throw new Refusal(`there are ${maxClocks} already`)
    const absolute = resolve(this.#options.cwd, path)
    let watch: PathWatch
    try {
      watch = new PathWatch(absolute, () => this.#hasChanged(monitor))
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file or directory' : message
      throw new Refusal(`${absolute}: ${reason}`, error)
    }
    const monitor: Monitor = { signum, watch }
    this.#monitors.add(monitor)
    return monitor
  }

  #hasChanged(monitor: Monitor): void {
    this.#changed.add(monitor)
    if (this.#state !== 'running' || this.#flush !== undefined) return
    this.#flush = setImmediate(() => {
      this.#flush = undefined
      this.#tell()
    })
  }

  #tell(): void {
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const { signum } of changed) this.#options.raise(signum)
  }
}

class Refusal extends ApiError {
  readonly reason: string

  constructor(reason: string, cause?: unknown) {
    super('add_file_monitor', 'API_REFUSED', `unable to add file monitor: ${reason}`, { cause })
    this.reason = reason
  }
}
