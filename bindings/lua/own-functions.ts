// The Lua functions that the runtime itself calls, anchored once the sandbox is open: those of guest/describe.lua, and Lua's own.
import type { Reference } from './runtime.ts'

export interface OwnFunctions {
  readonly describe: Reference
  readonly probe: Reference
  readonly collect: Reference
  /** Lua's `debug.traceback`. */
  readonly traceback: Reference
}

export const noOwnFunctions: OwnFunctions = { describe: 0n, probe: 0n, collect: 0n, traceback: 0n }
