// What Emscripten's glue gets of the wasm module's exports: their variables, and the functions that it calls. It would enter each of
// the 7,400 functions into its tables for libraries that are loaded later, which no guest can do, and that takes a third of the
// start of an interpreter.
// Invariant: all that the glue calls in its own start and in what gate.ts lets through (a test reads the glue for it).
import type { WasmExports } from '../../host/plugin/web-assembly.ts'

export const glueFunctions: ReadonlySet<string> = new Set([
  ...['__wasm_call_ctors', 'malloc', 'calloc', 'realloc', 'free', 'memalign', 'memcpy', 'sbrk', 'emscripten_get_sbrk_ptr'],
  ...['emscripten_builtin_malloc', 'emscripten_builtin_calloc', 'emscripten_builtin_memalign'],
  ...['emscripten_stack_get_base', 'emscripten_stack_get_end', 'emscripten_stack_get_current'],
  ...['_emscripten_stack_alloc', '_emscripten_stack_restore', '_emscripten_tempret_get', '_emscripten_tempret_set'],
  ...[
    '__errno_location',
    'strerror',
    'htonl',
    'htons',
    'ntohs',
    'fflush',
    'fileno',
    '_emscripten_timeout',
    '__funcs_on_exit',
    '__trap',
  ],
  // Only looked at, when the glue starts.
  '_pyproxy_apply_promising',
])

/** A plain object, since the glue assigns to it. */
export const exportsForGlue = (exports: WasmExports): WasmExports => {
  const handed: Record<string, unknown> = {}
  for (const name in exports) {
    const value = exports[name]
    if (typeof value !== 'function' || glueFunctions.has(name)) handed[name] = value
  }
  return handed
}
