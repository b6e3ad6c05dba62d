// The gate between the Python interpreter and the host. Everything that leaves a wasm instance passes through its import
// object, so we make that object: what is listed here may be called, what is not ends the interpreter. A guest that
// corrupts its own memory gains no more than that, since nothing else is linked.
// Invariant: no listed function runs host code, touches a host file by itself, opens a connection or yields a host object.
import { type WasmImports, type WasmModule, wasm } from '../../host/plugin/web-assembly.ts'

/** Thrown through the wasm frames: the interpreter is not to be entered again. */
export class InterpreterExit extends Error {
  override readonly name = 'InterpreterExit'
}

/** Files: these work on Emscripten's virtual file system, which holds only what files.ts puts there. */
const fileCalls = [
  ...['fd_close', 'fd_fdstat_get', 'fd_pread', 'fd_pwrite', 'fd_read', 'fd_seek', 'fd_sync', 'fd_write'],
  ...['chdir', 'chmod', 'dup', 'dup3', 'faccessat', 'fchdir', 'fchmod', 'fchmodat2', 'fchown32', 'fchownat'].map(syscall),
  ...['fadvise64', 'fallocate', 'fcntl64', 'fdatasync', 'fstat64', 'fstatfs64', 'ftruncate64', 'getcwd'].map(syscall),
  ...['getdents64', 'getuid32_js', 'ioctl', 'lstat64', 'mkdirat', 'newfstatat', 'openat', 'readlinkat'].map(syscall),
  ...['renameat', 'rmdir', 'stat64', 'statfs64', 'symlinkat', 'truncate64', 'umask_js', 'unlinkat', 'utimensat'].map(syscall),
  ...['_mmap_js', '_munmap_js', '_msync_js'],
]

/** Clocks, randomness, the environment block, the size of the heap, signals the guest sends to itself. */
const systemCalls = [
  ...['clock_res_get', 'clock_time_get', 'emscripten_date_now', 'emscripten_get_now'],
  ...['_gmtime_js', '_localtime_js', '_mktime_js', '_timegm_js', '_tzset_js'],
  ...['random_get', 'environ_get', 'environ_sizes_get', '_emscripten_get_progname', 'emscripten_get_heap_max'],
  ...['emscripten_runtime_keepalive_pop', 'emscripten_runtime_keepalive_push'],
  ...['__call_sighandler', '_Py_emscripten_runtime'],
]

function syscall(name: string): string {
  return `__syscall_${name}`
}

// Emscripten's errno numbers (those of WASI).
const EAFNOSUPPORT = -5
const ENOSYS = -52
const EAI_FAIL = -4

/** What guests may try and be refused in the ordinary way, by an error code. */
const refusals: Record<string, unknown> = {
  _emscripten_system: ENOSYS,
  __syscall_pipe: ENOSYS,
  __syscall_poll: ENOSYS,
  __syscall_mknodat: ENOSYS,
  _setitimer_js: ENOSYS,
  ...Object.fromEntries(
    ['accept4', 'bind', 'connect', 'getpeername', 'getsockname', 'getsockopt', 'listen'].map((name) => [
      syscall(name),
      EAFNOSUPPORT,
    ]),
  ),
  ...Object.fromEntries(['recvfrom', 'recvmsg', 'sendmsg', 'sendto', 'socket'].map((name) => [syscall(name), EAFNOSUPPORT])),
  getaddrinfo: EAI_FAIL,
  getnameinfo: EAI_FAIL,
  getprotobyname: 0,
  _dlopen_js: 0,
  _dlsym_js: 0,
  // Pyodide's patches ask these before the plain system call: null is "no asynchronous form, go on with the plain one".
  _maybe_connect_async: null,
  _maybe_recvfrom_async: null,
  _maybe_sendto_async: null,
  _maybe_poll_async: null,
  _try_fcntl64: 0,
  _try_shutdown: 0,
  // The table of JavaScript objects that Python holds: it is made when the module starts, and stays empty.
  __hiwire_deduplicate_new: null,
}

export interface GateOptions {
  /** Grows the memory to at least so many bytes; false when that is above the limit. */
  growMemory(bytes: number): boolean
  /** What running code asks every now and then: the number of a signal that has come, or 0. */
  checkSignals(): number
}

/** The import object to instantiate `module` with, made from what Emscripten's glue offers. */
export const gateImports = (module: WasmModule, offered: WasmImports, options: GateOptions): WasmImports => {
  const offeredFunctions = offered['env'] ?? {}
  const functions: Record<string, unknown> = Object.create(null)
  const addresses: Record<string, unknown> = Object.create(null)
  const allowed = new Set([...fileCalls, ...systemCalls])
  for (const wanted of wasm.Module.imports(module)) {
    const { name } = wanted
    if (wanted.kind === 'global') {
      // Addresses of JavaScript functions (OpenGL, the console) that nobody will call: all NULL, so that none of them
      // enters the function table.
      addresses[name] = new wasm.Global({ value: 'i32', mutable: true }, 0)
    } else if (allowed.has(name)) {
      functions[name] = offeredFunctions[name]
    } else if (name in refusals) {
      const answer = refusals[name]
      functions[name] = () => answer
    } else {
      functions[name] = () => {
        throw new InterpreterExit(`the interpreter ended itself, or was broken, in ${name}()`)
      }
    }
  }
  functions['emscripten_resize_heap'] = (size: number) => (options.growMemory(size >>> 0) ? 1 : 0)
  functions['_Py_CheckEmscriptenSignals_Helper'] = () => options.checkSignals()
  for (const name of ['proc_exit', 'exit']) {
    functions[name] = (status: number) => {
      throw new InterpreterExit(`the application ended the interpreter with status ${status}`)
    }
  }
  return { env: functions, wasi_snapshot_preview1: functions, 'GOT.func': addresses, 'GOT.mem': addresses }
}
