// An application loaded into a worker: what `struct uwsgi_app` is to uWSGI.
import type { Plugin } from './plugin.ts'

export interface App {
  /** From 0, in load order; the same in every worker. */
  readonly id: number
  /** '' for the app at the root, else `/prefix` without a trailing slash. */
  readonly mountpoint: string
  /** Absolute path of the file, or what else names the app (`package.module:callable`). */
  readonly source: string
  readonly modifier1: number
  readonly plugin: Plugin
  /** What the plugin's `mountApp` returned: its own handle of the callable. The host never looks into it. */
  readonly handle: unknown
  /** How long it took to load. */
  readonly startupMs: number
  requests: number
  exceptions: number
}

/** A mount as the plugin's `mountApp` gets it. */
export interface AppMount {
  readonly mountpoint: string
  readonly source: string
  /** Name of the callable to take, when the configuration names one (`--callable`, `module:callable`). */
  readonly callable: string | undefined
}
