// Everything that master and worker say to each other by message: the start, the progress of booting, the end. Requests and
// responses do not pass here; they travel through shared memory.

import type { OptionMap } from '../api/kinds.ts'
import type { LogSettings } from '../log/logger.ts'
import type { StateHandle } from '../state/state-map.ts'
import type { MountPlan } from './mount-plan.ts'

/** A plugin as it crosses to a worker: where to import it from, and what its `init` left. */
export interface PluginStart {
  readonly url: string
  readonly data: unknown
}

/** A worker's `workerData`. */
export interface WorkerStart {
  readonly workerId: number
  readonly workers: number
  readonly cores: number
  readonly masterPid: number
  readonly version: string
  readonly hostname: string
  readonly state: StateHandle
  readonly plugins: readonly PluginStart[]
  readonly mounts: readonly MountPlan[]
  readonly opt: OptionMap
  readonly log: LogSettings
  readonly memoryLimit: number
  readonly pythonPath: readonly string[]
}

/** One app that could not be loaded. `details` is the guest's traceback. */
export interface AppFailure {
  readonly mountpoint: string
  readonly source: string
  readonly message: string
  readonly details: string
}

export type WorkerMessage =
  /** An interpreter is up. */
  | { readonly kind: 'booted'; readonly what: string; readonly milliseconds: number }
  | {
      readonly kind: 'app'
      readonly id: number
      readonly mountpoint: string
      readonly source: string
      readonly language: string
      readonly milliseconds: number
    }
  | { readonly kind: 'app-failed'; readonly failure: AppFailure }
  /** All apps were tried; requests are taken from now on. */
  | { readonly kind: 'ready' }
  /** The worker cannot go on and ends. */
  | { readonly kind: 'fatal'; readonly reason: string }

export type MasterMessage =
  /** Finish what runs, take nothing new, then end. */
  { readonly kind: 'stop' }
