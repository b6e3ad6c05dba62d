// What a thread that reads plugin files and its starter say to each other.
import type { OptionMap } from '../api/kinds.ts'
import type { GuestPluginDescription } from '../plugin/guest-description.ts'

/** The thread's `workerData`. */
export interface DescribeStart {
  /** URL of the module of the language's plugin. */
  readonly languageUrl: string
  /** Absolute paths. */
  readonly files: readonly string[]
  readonly memoryLimit: number
  readonly pythonPath: readonly string[]
  readonly opt: OptionMap
  readonly version: string
}

export type DescribeMessage =
  /** The language is up, and the next file is run. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'described'; readonly description: GuestPluginDescription }
  /** The file that was begun, or, before one was, all of them. */
  | { readonly kind: 'failed'; readonly message: string; readonly details: string }
  /** Nothing more comes: all files were read, or the interpreter is lost. */
  | { readonly kind: 'done' }
