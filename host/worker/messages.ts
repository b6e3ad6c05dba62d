// Everything that the master and its threads say to each other by message: the start, the progress of booting, the end.
// Requests and responses do not pass here, they travel through shared memory; calls have a port of their own.

import type { MessagePort } from 'node:worker_threads'
import type { ThreadIdentity } from '../api/context.ts'
import type { OptionMap } from '../api/kinds.ts'
import type { HookPlan } from '../hooks/plan.ts'
import type { LogAlarmPlan } from '../log/log-alarms.ts'
import type { LogSettings } from '../log/logger.ts'
import type { PermissionPlan } from '../permissions/permission-plan.ts'
import type { PluginOptionValue } from '../plugin/plugin-option.ts'
import type { PluginSource } from '../plugin/plugin-source.ts'
import type { HeaderPlan } from '../request/header-change.ts'
import type { SharedHandles } from '../state/shared-parts.ts'
import type { StateHandle } from '../state/state-map.ts'
import type { Account } from '../state/worker-slots.ts'
import type { ExceptionSettings } from './exceptions.ts'
import type { MountPlan } from './mount-plan.ts'
import type { RecyclingPlan } from './recycling.ts'

/** A plugin as it crosses to a thread: where it lies, and what its `init` left. */
export interface PluginStart {
  readonly source: PluginSource
  readonly data: unknown
  /** The values of its own options. */
  readonly options: ReadonlyMap<string, PluginOptionValue>
}

/** Mules under a name, by their numbers. */
export interface FarmPlan {
  readonly name: string
  readonly mules: readonly number[]
}

export type Identity = Omit<ThreadIdentity, 'isLoading' | 'seat'>

/** What a thread is to be. */
export interface ThreadPlan {
  readonly identity: Identity
  /** Of a mule: a program of its own. */
  readonly program?: string
  /** The plugin that runs it, when its name does not say so. */
  readonly programPlugin?: string | undefined
  /** Of a spooler: the directory whose jobs it runs. */
  readonly directory?: string
}

/** Settings that functions of the API depend on. */
export interface ApiSettings {
  readonly socketTimeoutMs: number
  readonly rpcMax: number
  /** Bytes of a response's body; infinite without a limit. */
  readonly responseLimit: number
  /** Files that an interpreter may have open; undefined: as many as it commonly may. */
  readonly guestFds: number | undefined
  /** Lines of guests in a second; 0: any number. */
  readonly logRate: number
  /** How long a request, a message to a mule or a job of a spooler may take; 0: for ever. */
  readonly harakiriMs: Readonly<Record<ThreadIdentity['kind'], number>>
  /** How much CPU time each of these may take, and each request; 0: any. */
  readonly cpuLimitMs: number
  /** All variables of a request that overran are told. */
  readonly isHarakiriVerbose: boolean
  /** How long what overran may take to end by itself, before its thread is ended. */
  readonly harakiriGraceMs: number
  /** Means of stopping guest code are wanted that cost running code some of its speed. */
  readonly isSoftHarakiri: boolean
  readonly bufferSize: number
  readonly alarmNames: readonly string[]
  readonly spoolers: readonly string[]
  readonly spoolerOrdered: boolean
  readonly spoolerMaxTries: number
  readonly spoolerQuiet: boolean
  /** Seconds since the epoch. */
  readonly startedOn: number
  readonly isReload: boolean
  /** Directories from which every guest may have files sent, beside its own app's. */
  readonly fileRoots: readonly string[]
  /** Content types of the configuration, by extension. */
  readonly mimeTypes: ReadonlyMap<string, string>
}

/** What guests may do, as a thread gets it. */
export interface GuestStart {
  readonly permissions: PermissionPlan
  /** What `uwsgi.opt` shows them. */
  readonly opt: OptionMap
  /** Directories of all apps, and those of `pythonpath`. */
  readonly appDirectories: readonly string[]
}

/** The hooks of the configuration, as a thread gets them. */
export interface HookStart {
  readonly plan: HookPlan
  /** The thread does not take the place of one that has died. */
  readonly isFirstStart: boolean
}

/** What a thread that has loaded its apps gets when it is to begin its work. */
export interface Attachment {
  readonly identity: Identity
  readonly account: Account
  /** The thread does not take the place of one that has died. */
  readonly isFirstStart: boolean
}

/** A thread's `workerData`. */
export interface ThreadStart {
  readonly plan: ThreadPlan
  readonly seat: number
  readonly workers: number
  readonly mules: number
  readonly farms: readonly FarmPlan[]
  readonly cores: number
  readonly masterPid: number
  readonly version: string
  readonly hostname: string
  readonly state: StateHandle
  readonly shared: SharedHandles
  readonly plugins: readonly PluginStart[]
  readonly hooks: HookStart
  /** How long a plugin's hook of the start may take. */
  readonly pluginTimeoutMs: number
  readonly mounts: readonly MountPlan[]
  readonly opt: OptionMap
  readonly guests: GuestStart
  readonly log: LogSettings
  readonly logAlarms: readonly LogAlarmPlan[]
  readonly memoryLimit: number
  readonly pythonPath: readonly string[]
  readonly api: ApiSettings
  readonly exceptions: ExceptionSettings
  readonly headers: HeaderPlan | undefined
  /** When a worker asks for a successor; undefined: never. */
  readonly recycling: RecyclingPlan | undefined
  readonly callPort: MessagePort
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
  /** Bytes that an order to offload names by their number. */
  | { readonly kind: 'parcel'; readonly id: number; readonly bytes: Uint8Array }
  /** All apps were tried: the thread waits until it is told to begin its work. */
  | { readonly kind: 'loaded' }
  /** Requests, signals and messages are taken from now on. */
  | { readonly kind: 'ready' }
  /** A plugin has cost the thread an interpreter while it started: the thread ends, and is to be started without the plugin. */
  | { readonly kind: 'plugin-lost'; readonly name: string; readonly reason: string }
  /** The thread takes nothing more, and ends when what it has begun is done: another is to take its place. */
  | { readonly kind: 'leaving' }
  /** The worker is to be followed by another, and serves on until that one is ready. */
  | { readonly kind: 'due'; readonly reason: string }
  /** The thread cannot go on and ends. */
  | { readonly kind: 'fatal'; readonly reason: string }

export type MasterMessage =
  /** Begin the work. */
  | { readonly kind: 'attach'; readonly attachment: Attachment }
  /** Finish what runs, take nothing new, then end. */
  | { readonly kind: 'stop' }
