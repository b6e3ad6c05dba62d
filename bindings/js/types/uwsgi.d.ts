// The `uwsgi` module of JavaScript guests. Generated from the API table by `npm run gen`; do not edit.

/** Bytes from the server: `toString()` decodes them as UTF-8. */
interface UwsgiBytes extends Uint8Array {
  toString(): string
}

/** A global class. Raised by functions of the module; `code` is one of docs/errors.md. */
declare class UwsgiError extends Error {
  readonly code: string
}

type OptionValue = string | true
type Options = Readonly<Record<string, OptionValue | OptionValue[] | undefined>>

declare module 'uwsgi' {
  /** The same function where others go on meanwhile. */
  type Waiting<F extends (...args: never[]) => unknown> = (...args: Parameters<F>) => Promise<ReturnType<F>>

  interface WorkerApp {
    readonly id: number
    readonly modifier1: number
    readonly mountpoint: UwsgiBytes
    readonly startup_time: number
    readonly requests: number
    readonly exceptions: number
    readonly chdir: UwsgiBytes
  }

  interface Worker {
    readonly id: number
    readonly pid: number
    readonly requests: number
    readonly delta_requests: number
    readonly signals: number
    readonly exceptions: number
    readonly status: UwsgiBytes
    readonly rss: number
    readonly vsz: number
    readonly running_time: number
    readonly last_spawn: number
    readonly respawn_count: number
    readonly tx: number
    readonly avg_rt: number
    readonly apps: WorkerApp[]
  }

  /**
   * The server's version, for example `0.1.0`. Differs from uWSGI: it is the version of polywsgi.
   */
  const version: UwsgiBytes
  export { version }
  /**
   * The version as numbers, to be compared: (0, 1, 0). Differs from uWSGI: there are three.
   */
  const versionInfo: [number, number, number]
  const version_info: typeof versionInfo
  export { versionInfo, version_info }
  /**
   * The host name of the machine the server runs on.
   */
  const hostname: UwsgiBytes
  export { hostname }
  /**
   * The number of the worker that runs this code, from 1; 0 outside workers, and in a spare one (`spare`) until it stands for a worker.
   */
  function workerId(): number
  const worker_id: typeof workerId
  export { workerId, worker_id }
  /**
   * The process id of the master. Workers are threads of the master, so it is also the id of this process.
   */
  function masterpid(): number
  export { masterpid }
  /**
   * The number of the mule that runs this code, from 1; 0 outside mules.
   */
  function muleId(): number
  const mule_id: typeof muleId
  export { muleId, mule_id }
  /**
   * True in a spooler, not_defined everywhere else.
   */
  function iAmTheSpooler(): true | undefined
  const i_am_the_spooler: typeof iAmTheSpooler
  export { iAmTheSpooler, i_am_the_spooler }
  /**
   * Writes one line to the server's log. Differs from uWSGI: Lua gets true for it, not nothing.
   * @param message The line to write; a newline is added. Its bytes are written as they are.
   * @throws a missing message, or one that is neither text nor bytes
   */
  function log(message: string | Uint8Array): true
  export { log }
  /**
   * Has this request's line logged, `--disable-logging` or not.
   * @throws ValueError: no request is being served here
   */
  function logThisRequest(): undefined
  const log_this_request: typeof logThisRequest
  export { logThisRequest, log_this_request }
  /**
   * The options as given, unknown ones of a configuration file included. An option given more than once is a list of its values. An option given without a value is true. Differs from uWSGI: repeated options are kept (uWSGI on Python 3 loses all but the last).
   */
  const opt: Options
  export { opt }
  /**
   * The value of a key. Not_defined for a missing key, an unknown cache, or a server that does not answer.
  Differs from uWSGI: an item that has expired is never returned, whether it was swept out or not.
   * @param key The key: up to `keysize` bytes.
   * @param cache The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
   */
  function cacheGet(key: string | Uint8Array, cache?: string | Uint8Array): UwsgiBytes | undefined
  const cache_get: typeof cacheGet
  export { cacheGet, cache_get }
  /**
   * Whether there is an item of that key: true, or not_defined, as for an unknown cache, or a server that does not answer.
   * @param key The key: up to `keysize` bytes.
   * @param cache The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
   */
  function cacheExists(key: string | Uint8Array, cache?: string | Uint8Array): true | undefined
  const cache_exists: typeof cacheExists
  export { cacheExists, cache_exists }
  /**
   * Adds an item. Not_defined, with nothing changed, for a key that exists, an empty or too long key or value, a full cache, an unknown cache, or a server that does not answer.
   * @param key The key: up to `keysize` bytes.
   * @param value The value: up to `blocksize` bytes, with `bitmap` of several blocks.
   * @param expires When the item is over, from now; 0 never.
   * @param cache The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
   */
  function cacheSet(key: string | Uint8Array, value: string | Uint8Array, expires?: number, cache?: string | Uint8Array): true | undefined
  const cache_set: typeof cacheSet
  export { cacheSet, cache_set }
  /**
   * Adds an item, or gives one that exists another value and another expiry. Not_defined, with nothing changed, for
  an empty or too long key or value, a full cache, an unknown cache, or a server that does not answer.
   * @param key The key: up to `keysize` bytes.
   * @param value The value: up to `blocksize` bytes, with `bitmap` of several blocks.
   * @param expires When the item is over, from now; 0 never.
   * @param cache The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
   */
  function cacheUpdate(key: string | Uint8Array, value: string | Uint8Array, expires?: number, cache?: string | Uint8Array): true | undefined
  const cache_update: typeof cacheUpdate
  export { cacheUpdate, cache_update }
  /**
   * Removes an item. Not_defined for a missing key, an unknown cache, or a server that does not answer.
   * @param key The key: up to `keysize` bytes.
   * @param cache The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
   */
  function cacheDel(key: string | Uint8Array, cache?: string | Uint8Array): true | undefined
  const cache_del: typeof cacheDel
  export { cacheDel, cache_del }
  /**
   * Adds to the number that an item is (`cache_num`). A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
  for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
  and a remote cache is refused, where uWSGI overwrites its item.
   * @param key The key: up to `keysize` bytes.
   * @param n By how much.
   * @param expires When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
   * @param cache The name of a cache; not given: the first one.
   * @throws ValueError: the numbers of a remote cache cannot be changed
   */
  function cacheInc(key: string | Uint8Array, n?: number | bigint, expires?: number, cache?: string | Uint8Array): true | undefined
  const cache_inc: typeof cacheInc
  export { cacheInc, cache_inc }
  /**
   * Subtracts from the number that an item is (`cache_num`). A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
  for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
  and a remote cache is refused, where uWSGI overwrites its item.
   * @param key The key: up to `keysize` bytes.
   * @param n By how much.
   * @param expires When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
   * @param cache The name of a cache; not given: the first one.
   * @throws ValueError: the numbers of a remote cache cannot be changed
   */
  function cacheDec(key: string | Uint8Array, n?: number | bigint, expires?: number, cache?: string | Uint8Array): true | undefined
  const cache_dec: typeof cacheDec
  export { cacheDec, cache_dec }
  /**
   * Multiplies the number that an item is (`cache_num`). A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
  for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
  and a remote cache is refused, where uWSGI overwrites its item.
   * @param key The key: up to `keysize` bytes.
   * @param n By how much.
   * @param expires When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
   * @param cache The name of a cache; not given: the first one.
   * @throws ValueError: the numbers of a remote cache cannot be changed
   */
  function cacheMul(key: string | Uint8Array, n?: number | bigint, expires?: number, cache?: string | Uint8Array): true | undefined
  const cache_mul: typeof cacheMul
  export { cacheMul, cache_mul }
  /**
   * Divides the number that an item is (`cache_num`), towards zero; by zero it becomes 0. A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
  for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
  and a remote cache is refused, where uWSGI overwrites its item.
   * @param key The key: up to `keysize` bytes.
   * @param n By how much.
   * @param expires When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
   * @param cache The name of a cache; not given: the first one.
   * @throws ValueError: the numbers of a remote cache cannot be changed
   */
  function cacheDiv(key: string | Uint8Array, n?: number | bigint, expires?: number, cache?: string | Uint8Array): true | undefined
  const cache_div: typeof cacheDiv
  export { cacheDiv, cache_div }
  /**
   * The number that an item is: its value as 8 bytes in the machine's order. 0 for a missing key, for a value of another
  size, for an unknown cache, or a server that does not answer.
   * @param key The key: up to `keysize` bytes.
   * @param cache The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
   */
  function cacheNum(key: string | Uint8Array, cache?: string | Uint8Array): number | bigint
  const cache_num: typeof cacheNum
  export { cacheNum, cache_num }
  /**
   * Removes every item of a cache. Not_defined for an unknown cache, or a server that does not answer.
   * @param cache The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
   */
  function cacheClear(cache?: string | Uint8Array): true | undefined
  const cache_clear: typeof cacheClear
  export { cacheClear, cache_clear }
  /**
   * The keys of all items of a cache of this server, as they are at one moment, in no order.
   * @param cache The name of a cache; not given: the first one.
   * @throws ValueError: no local uWSGI cache available
   */
  function cacheKeys(cache?: string | Uint8Array): UwsgiBytes[]
  const cache_keys: typeof cacheKeys
  export { cacheKeys, cache_keys }
  /**
   * Takes a lock, waiting for whoever holds it. It is kept until `unlock`, past the end of the request too, and freed when
  its holder is ended. Differs from uWSGI: taking a lock one holds is an error, and does not hang.
   * @param num Which lock: 0, and as many more as `--locks` says.
   * @param timeout How long to wait; not given: for as long as it takes. uWSGI has no such argument.
   * @throws ValueError: Invalid lock number
   * @throws ValueError: The spooler cannot lock/unlock resources
   * @throws ValueError: this worker holds the lock already
   * @throws ValueError: the lock did not become free in time
   */
  function lock(num?: number, timeout?: number): undefined
  export { lock }
  /**
   * Gives a lock back. A lock that nobody holds stays free. Differs from uWSGI: a lock that another worker holds is not
  taken from it.
   * @param num Which lock: 0, and as many more as `--locks` says.
   * @throws ValueError: Invalid lock number
   * @throws ValueError: The spooler cannot lock/unlock resources
   * @throws ValueError: another worker holds the lock
   */
  function unlock(num?: number): undefined
  export { unlock }
  /**
   * Whether anybody holds a lock. Differs from uWSGI: it never takes the lock of a worker that has died.
   * @param num Which lock: 0, and as many more as `--locks` says.
   * @throws ValueError: Invalid lock number
   * @throws ValueError: The spooler cannot lock/unlock resources
   */
  function isLocked(num?: number): boolean
  const is_locked: typeof isLocked
  export { isLocked, is_locked }
  /**
   * Raises a signal: it goes to the master, which hands it to the receiver it was registered with. Does not wait for the
  handler; a signal for which there is no room is dropped and logged. With `node`, waits until that server has taken it.
  Differs from uWSGI: a signum out of range is refused, not taken modulo 256, and a signal raised while apps load is not lost.
   * @param signum The signal.
   * @param node Another server, `host:port` or the path of a UNIX socket.
   * @throws ValueError: signum is not from 0 to 255
   * @throws OSError: unable to deliver signal N to node X
   * @throws ValueError: node X rejected signal N
   */
  function signal(signum: number, node?: string | Uint8Array): undefined
  export { signal }
  /**
   * Registers the handler of a signal, and who is to run it. To be done while the app loads, in every thread; the same
  number twice in one load is refused. Later registrations replace.
  Differs from uWSGI: a kind of no known form is refused here, not when the signal comes; mules and
  spoolers may register; a registration made while serving changes the receiver for the whole server.
   * @param signum The signal.
   * @param kind Who runs the handler: `""` or `worker` (any worker), `workers`, `active-workers`, `worker2`, `mule` (any mule), `mules`, `mule1`, `farm_NAME`, `farm1`, `spooler`, `subscribed` (nobody).
   * @param handler Called with the number of the signal.
   * @throws ValueError: unable to register signal N
   * @throws ValueError: kind has more than 63 bytes
   * @throws TypeError: handler is no function
   */
  function registerSignal(signum: number, kind: string | Uint8Array, handler: (signum: number) => unknown): undefined
  const register_signal: typeof registerSignal
  export { registerSignal, register_signal }
  /**
   * Whether this thread has a handler for the signal: true, or nothing.
   * @param signum The signal.
   * @throws ValueError: signum is not from 0 to 255
   */
  function signalRegistered(signum: number): true | undefined
  const signal_registered: typeof signalRegistered
  export { signalRegistered, signal_registered }
  /**
   * Waits for a signal that this thread receives. Handlers of all signals that come meanwhile run, that of the awaited
  one included. Returns nothing but empty bytes; `signal_received` tells which it was.
   * @param signum The signal to wait for; not given: any.
   * @throws ValueError: signum is not from 0 to 255
   */
  function signalWait(signum?: number): UwsgiBytes
  const signal_wait: typeof signalWait
  export { signalWait, signal_wait }
  /**
   * The signal this thread received last; 0 before the first.
   */
  function signalReceived(): number
  const signal_received: typeof signalReceived
  export { signalReceived, signal_received }
  /**
   * Raises a signal every so many seconds. Times that were missed are one.
  One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
  Differs from uWSGI: a negative period is refused.
   * @param signum The signal to raise.
   * @param seconds The period; the first signal comes after it. 0 never fires.
   * @throws ValueError: unable to add timer (there are 64 already)
   * @throws ValueError: an argument is out of range
   */
  function addTimer(signum: number, seconds: number): undefined
  const add_timer: typeof addTimer
  export { addTimer, add_timer }
  /**
   * As `add_timer`, with a period in milliseconds.
  One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
   * @param signum The signal to raise.
   * @param milliseconds The period; the first signal comes after it. 0 never fires.
   * @throws ValueError: unable to add timer (there are 64 already)
   * @throws ValueError: an argument is out of range
   */
  function addMsTimer(signum: number, milliseconds: number): undefined
  const add_ms_timer: typeof addMsTimer
  export { addMsTimer, add_ms_timer }
  /**
   * Raises a signal every so many seconds, so many times.
  One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
  Differs from uWSGI: it is as exact as `add_timer`, not to the second, and gives its place back when it has fired for the
  last time. With neither a period nor an end it fires each second, as in uWSGI.
   * @param signum The signal to raise.
   * @param seconds The period; the first signal comes after it. With 0 it comes at once.
   * @param iterations How many signals there will be; 0 for ever.
   * @throws ValueError: unable to add rb_timer (there are 64 already)
   * @throws ValueError: an argument is out of range
   */
  function addRbTimer(signum: number, seconds: number, iterations?: number): undefined
  const add_rb_timer: typeof addRbTimer
  export { addRbTimer, add_rb_timer }
  /**
   * Raises a signal in each minute of local time that fits; with both a day and a week, when either fits. A minute that
  fits right now counts.
  One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
  Differs from uWSGI: values no calendar has are refused, and signals come at the beginning of their minute.
   * @param signum The signal to raise.
   * @param minute 0 to 59; -1 any, -N every minute that N divides.
   * @param hour 0 to 23; negative as above.
   * @param day Of the month, 1 to 31; negative as above.
   * @param month 1 to 12; negative as above.
   * @param week Day of the week, Sunday 0 or 7; negative as above.
   * @throws ValueError: unable to add cron (there are 64 already)
   * @throws ValueError: an argument is out of range
   */
  function addCron(signum: number, minute: number, hour: number, day: number, month: number, week: number): true
  const add_cron: typeof addCron
  export { addCron, add_cron }
  /**
   * Raises a signal whenever the file or directory changes.
  One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
  Differs from uWSGI: a path that is not there is refused, and a file that is replaced, as editors do, is still watched.
   * @param signum The signal to raise.
   * @param path A file, or a directory, of which what lies in it counts, but not deeper.
   * @throws ValueError: unable to add file monitor (no such path, or there are 64 already)
   * @throws ValueError: an argument is out of range
   */
  function addFileMonitor(signum: number, path: string | Uint8Array): undefined
  const add_file_monitor: typeof addFileMonitor
  export { addFileMonitor, add_file_monitor }
  /**
   * Makes a function callable by name: from every language and thread of this server, and from other servers.
  A name that is there already is given to the new function. Differs from uWSGI: `argc` is enforced, mules and spoolers may
  register too, and what one thread alone registers is found by the others.
   * @param name The name under which it is called.
   * @param function_ Takes bytes, answers with bytes or text, or nothing.
   * @param argc How many arguments it takes; 0: any number.
   * @throws ValueError: there are `rpc-max` functions already
   */
  function registerRpc(name: string | Uint8Array, function_: (...args: UwsgiBytes[]) => unknown, argc?: number): true
  const register_rpc: typeof registerRpc
  export { registerRpc, register_rpc }
  /**
   * Calls a function of another server, or of this one, and waits for its answer.
  Not defined when there is no such function, when it answered nothing, and when another server cannot be reached in
  `socket-timeout` seconds or says nothing. Differs from uWSGI: a function of this server that raises makes the call raise,
  and an empty answer is an answer; name and arguments may be text in Python too, and a missing or wrong one is a TypeError.
   * @param node Another server, as `host:port`, a unix path or `@name`; none: this one.
   * @param name Which function.
   * @param args Up to 254 arguments; to another server, 65535 bytes in all.
   * @throws ValueError: more than 254 arguments, or more than a packet holds, are given
   * @throws ValueError: the function takes another number of arguments, or is asynchronous
   * @throws RuntimeError: the function raised, here or in another thread of this server
   * @throws OSError: another server's answer is cut off, or no answer to a call
   */
  function rpc(node: string | Uint8Array | undefined, name: string | Uint8Array, ...args: (string | Uint8Array)[]): UwsgiBytes | undefined
  export { rpc }
  /**
   * Calls a function of this server: in this thread when it is registered here, else of the embedding program, else in
  another thread. Not defined when there is none of that name, or it answered nothing.
  Differs from uWSGI: name and arguments may be text in Python too, and a missing or wrong one is a TypeError.
   * @param name Which function.
   * @param args Up to 254 arguments.
   * @throws ValueError: the function takes another number of arguments, or is asynchronous
   * @throws RuntimeError: the function raised
   */
  function call(name: string | Uint8Array, ...args: (string | Uint8Array)[]): UwsgiBytes | undefined
  export { call }
  /**
   * The names of the functions registered in this thread.
   */
  function rpcList(): UwsgiBytes[]
  const rpc_list: typeof rpcList
  export { rpcList, rpc_list }
  /**
   * Sends a message to a mule, and does not wait for it. True: it is on its way; false: the queue is full.
  Messages wait in memory, and are lost when the server stops.
  Differs from uWSGI: a message of more than 65536 bytes is refused, not cut, and a mule that does not exist is an error.
   * @param message What to send.
   * @param target A mule's number, or a farm's name for one mule of it. Not given, or 0: any mule.
   * @throws ValueError: no mule is configured, there is no such mule or farm, or the message is too long
   */
  function muleMsg(message: string | Uint8Array, target?: number | string | Uint8Array): boolean
  const mule_msg: typeof muleMsg
  export { muleMsg, mule_msg }
  /**
   * Sends a message to one mule of a farm. When its queue is full the message is dropped, with a line in the log.
  Differs from uWSGI: an unknown farm is an error, not passed over in silence.
   * @param farm The farm's name.
   * @param message What to send.
   * @throws ValueError: there is no such farm, or the message is too long
   */
  function farmMsg(farm: string | Uint8Array, message: string | Uint8Array): undefined
  const farm_msg: typeof farmMsg
  export { farmMsg, farm_msg }
  /**
   * Waits for a message to this mule, to any mule, or to one of its farms. Empty bytes when the time is up.
  For mules with programs of their own; others have `mule_msg_hook`.
  Differs from uWSGI: `signals` means what it says, there it is the wrong way round; and `timeout` may be a fraction.
   * @param signals Run the handlers of signals that come meanwhile.
   * @param farms Also take messages to the mule's farms.
   * @param buffer_size A longer message is cut.
   * @param timeout How long to wait; below 0: for ever.
   * @throws ValueError: called outside of a mule, or timeout is no number
   */
  function muleGetMsg(signals?: boolean, farms?: boolean, buffer_size?: number, timeout?: number): UwsgiBytes
  const mule_get_msg: typeof muleGetMsg
  export { muleGetMsg, mule_get_msg }
  /**
   * Waits for a message to one of this mule's farms, for ever. Signals wait until it is back.
  Differs from uWSGI: a mule without a farm gets an error instead of no message ever.
   * @throws ValueError: called outside of a mule, or in one that belongs to no farm
   */
  function farmGetMsg(): UwsgiBytes
  const farm_get_msg: typeof farmGetMsg
  export { farmGetMsg, farm_get_msg }
  /**
   * Whether this thread is a mule of the farm: true, or nothing.
   * @param farm The farm's name; not given: any farm.
   */
  function inFarm(farm?: string | Uint8Array): true | undefined
  const in_farm: typeof inFarm
  export { inFarm, in_farm }
  /**
   * Called in a mule without a program of its own for every message. One at a time: the next message waits.
  An exception is logged, and the mule goes on.
   */
  let muleMsgHook: ((message: UwsgiBytes) => unknown) | undefined
  let mule_msg_hook: typeof muleMsgHook

  /**
   * Called in each worker, mule and spooler when its apps are loaded, before it begins its work.
  In a mule it may never return: it is then the mule's own program.
  Differs from uWSGI: apps are loaded by each thread, so it runs after them, not right after a fork.
   */
  let postForkHook: (() => unknown) | undefined
  let post_fork_hook: typeof postForkHook

  /**
   * Called in a worker after each request, when its response is on its way. An exception is logged.
   */
  let afterReqHook: (() => unknown) | undefined
  let after_req_hook: typeof afterReqHook

  /**
   * Called in each thread at its clean end: a stop or a reload, not when it is ended for overrunning.
   */
  let atexit: (() => unknown) | undefined

  /**
   * What a `spooler` function returns when a job is done: its file is removed.
   */
  const SPOOL_OK: -2
  export { SPOOL_OK }
  /**
   * What a `spooler` function returns to be given the job again later.
   */
  const SPOOL_RETRY: -1
  export { SPOOL_RETRY }
  /**
   * What a `spooler` function returns for a job that is not its own: the next language is asked.
   */
  const SPOOL_IGNORE: 0
  export { SPOOL_IGNORE }
  /**
   * The spoolers' directories, as absolute paths. The first one takes jobs that name none.
   */
  const spoolers: UwsgiBytes[]
  export { spoolers }
  /**
   * Writes a job to disk and wakes the spooler. When this returns the job outlives the server. Returns its path.
  Differs from uWSGI: values that are too long are refused, not cut, and a `priority` must be a number.
   * @param job Names to values. `body`: bytes of any length. `at`: when to run it, in seconds since 1970. `priority`: a number. `spooler`: a directory.
   * @throws ValueError: no spooler is configured, or none of the directory that the job names
   * @throws ValueError: a value has more than 65535 bytes, all together have, or `at` or `priority` is no number
   * @throws OSError: the job cannot be written
   */
  function spool(job: Record<string, string | number | Uint8Array>): UwsgiBytes
  const sendToSpooler: typeof spool
  const send_to_spooler: typeof spool
  export { spool, sendToSpooler, send_to_spooler }
  /**
   * How often spoolers look into their directories without being woken (`spooler-frequency`).
   * @param seconds From now on, of all spoolers.
   * @throws ValueError: argument out of range
   */
  function setSpoolerFrequency(seconds: number): true
  const set_spooler_frequency: typeof setSpoolerFrequency
  export { setSpoolerFrequency, set_spooler_frequency }
  /**
   * The paths of all jobs that are on disk, due or not, in the order of their priorities and their submission.
  Differs from uWSGI: those with a priority are listed too.
   * @throws OSError: a directory cannot be read
   */
  function spoolerJobs(): UwsgiBytes[]
  const spooler_jobs: typeof spoolerJobs
  export { spoolerJobs, spooler_jobs }
  /**
   * A job as the `spooler` function gets it: its variables, `spooler_task_name`, and `body` when it has one.
  Nothing when there is no such job.
  Differs from uWSGI: only files in the spoolers' directories are read.
   * @param path As `spool` or `spooler_jobs` gave it.
   */
  function spoolerGetTask(path: string | Uint8Array): Record<string, UwsgiBytes> | undefined
  const spooler_get_task: typeof spoolerGetTask
  export { spoolerGetTask, spooler_get_task }
  /**
   * The process id of the first spooler; 0 without one. Spoolers are threads of the master, so it is the id of this process.
   */
  function spoolerPid(): number
  const spooler_pid: typeof spoolerPid
  export { spoolerPid, spooler_pid }
  /**
   * The process id of each spooler: the same number, once per spooler.
   */
  function spoolerPids(): number[]
  const spooler_pids: typeof spoolerPids
  export { spoolerPids, spooler_pids }
  /**
   * Called in the spooler with each job; returns SPOOL_OK, SPOOL_RETRY or SPOOL_IGNORE. Anything else keeps the job.
  A job that is kept is run again after 1 second, then 2, 4... at most `spooler-frequency`, or 5 minutes after an exception.
  The function may be ended in the middle, and the job is then run again: it must bear to be run twice.
  Differs from uWSGI: after `spooler-max-tries` exceptions in a row the job is moved to `failed/` in its directory.
  A file that is no job is moved there too, not deleted.
   */
  let spooler: ((env: Record<string, UwsgiBytes>) => number | Promise<number>) | undefined

  /**
   * Raises an alarm and does not wait for it: the master delivers it, and what goes wrong then is a line in the log.
  The same message again within `alarm-freq` seconds is dropped.
  Differs from uWSGI: an unknown alarm is an error, and a message that is too long is cut; it drops both in silence.
   * @param name As the option `alarm` defines it.
   * @param message What to say; at most `alarm-msg-size` bytes of it are delivered.
   * @throws ValueError: there is no such alarm
   */
  function alarm(name: string | Uint8Array, message: string | Uint8Array): undefined
  export { alarm }
  /**
   * Waits for what the request has registered by `async_sleep`, `wait_fd_read` and `wait_fd_write`: the first of it ends the
  wait, and all of it is forgotten. With nothing registered each other core gets a turn. With one core, and outside of requests,
  the thread waits. Differs from uWSGI: without anything registered it hangs there, and does not wait with one core.
   */
  function suspend(): Promise<true>
  const greenSchedule: typeof suspend
  const green_schedule: typeof suspend
  export { suspend, greenSchedule, green_schedule }
  /**
   * Has the next `suspend`, or the next chunk of the body that is yielded, wait so long at most. Of several times the
  earliest counts. Differs from uWSGI: fractions of a second count, and it works with one core too.
   * @param seconds How long; nothing is registered for 0 and less.
   * @throws ValueError: the time is longer than a day
   */
  function asyncSleep(seconds: number): UwsgiBytes
  const async_sleep: typeof asyncSleep
  export { asyncSleep, async_sleep }
  /**
   * Begins a connection and gives its descriptor at once. It can be written to when it is there, or has failed:
  `is_connected` tells which. `socket-timeout` ends the attempt. Differs from uWSGI: what fails at once raises, where it returns
  -1; host names and IPv6 addresses work too.
   * @param address `host:port`, the path of a unix socket, or `@name`.
   * @throws OSError: the address is none, or not allowed
   * @throws ValueError: too many connections of this thread are open already
   */
  function asyncConnect(address: string | Uint8Array): number
  const async_connect: typeof asyncConnect
  export { asyncConnect, async_connect }
  /**
   * Has the next `suspend`, or the next chunk of the body that is yielded, wait until something can be read, or the other side
  has closed. Several descriptors may be waited for; `ready_fd` then says which it is. Differs from uWSGI: fractions of a second
  count, and one descriptor may be waited for in both directions.
   * @param fd A connection, or the client's.
   * @param timeout How long to wait; 0: for as long as it takes.
   * @throws OSError: unable to fd N to the event queue: it is none of the caller's, or waited for already
   * @throws ValueError: the timeout is below 0, or longer than a day
   */
  function waitFdRead(fd: number, timeout?: number): UwsgiBytes
  const wait_fd_read: typeof waitFdRead
  export { waitFdRead, wait_fd_read }
  /**
   * Has the next `suspend`, or the next chunk of the body that is yielded, wait until something can be written, or the
  connection has failed. See `wait_fd_read`.
   * @param fd A connection, or the client's.
   * @param timeout How long to wait; 0: for as long as it takes.
   * @throws OSError: unable to fd N to the event queue: it is none of the caller's, or waited for already
   * @throws ValueError: the timeout is below 0, or longer than a day
   */
  function waitFdWrite(fd: number, timeout?: number): UwsgiBytes
  const wait_fd_write: typeof waitFdWrite
  export { waitFdWrite, wait_fd_write }
  /**
   * The descriptor that has ended the request's last wait; -1 when its time did, and before the first. Differs from uWSGI:
  it tells the descriptor in every style of app.
   */
  function readyFd(): number
  const ready_fd: typeof readyFd
  export { readyFd, ready_fd }
  /**
   * The number of the core that serves the request, from 0.
   * @throws ValueError: there is no request
   */
  function asyncId(): number
  const async_id: typeof asyncId
  export { asyncId, async_id }
  /**
   * The number of the client's connection, for `send`, `recv`, `close` and `is_connected`. It stays the same after a
  disconnect. Differs from uWSGI: it is a number of this server's own, no descriptor of the system.
   * @throws ValueError: there is no request
   */
  function connectionFd(): number
  const connection_fd: typeof connectionFd
  export { connectionFd, connection_fd }
  /**
   * Sends bytes as they are: `send(data)` to the client, `send(fd, data)` to a connection. Not defined when the
  other side is gone. To a client that has not got its headers yet, the bytes are the response: none are sent, what is returned
  or written later follows as it is, and the connection closes at the end. Differs from uWSGI: all bytes are sent, not as many
  as fit, and a descriptor that is none of the caller's raises.
   * @param fd_or_data A descriptor; or the bytes, for the client.
   * @param data The bytes, after a descriptor.
   * @throws ValueError: there is no request
   * @throws TypeError: the data is missing, or what stands before it is no descriptor
   * @throws OSError: the descriptor is none of the caller's, or its other side takes nothing for `socket-timeout` seconds
   */
  function send(fd_or_data: number | string | Uint8Array, data?: string | Uint8Array): true | undefined
  export { send }
  /**
   * Reads at least one byte: `recv(max)` of the body that the client sends, `recv(fd, max)` of a connection. Not
  defined at the end. Differs from uWSGI: one number is a length (there it is a descriptor), and a silence raises.
   * @param fd_or_max A descriptor, before `max`; or the most bytes to be read from the client.
   * @param max The most bytes, after a descriptor.
   * @throws ValueError: there is no request
   * @throws ValueError: the most bytes are not 1 to 1048576
   * @throws OSError: the descriptor is none of the caller's, nothing comes for `socket-timeout` seconds, or the client has gone
   */
  function recv(fd_or_max: number, max?: number): UwsgiBytes | undefined
  export { recv }
  /**
   * Closes a connection; with the number of the client's, disconnects it. A number that is not the
  caller's is ignored.
   * @param fd The descriptor.
   */
  function close(fd: number): undefined
  export { close }
  /**
   * Opens a connection and gives its descriptor. It belongs to the request, and is closed with it, which is logged; one that
  is opened outside of requests belongs to the thread. `--allow-connect` says where to. Differs from uWSGI: a failure raises,
  where it returns -1, and host names and IPv6 addresses work too; there descriptors stay open, and serve every request.
   * @param address `host:port`, the path of a unix socket, or `@name`.
   * @param timeout How long to wait for the connection.
   * @throws OSError: there is no connection, or the address is not allowed
   * @throws ValueError: the timeout is not above 0, or too many connections of this thread are open already
   */
  function connect(address: string | Uint8Array, timeout?: number): number
  export { connect }
  /**
   * Whether a connection, or the client's, can still be used. False for a number that is none of the caller's. A connection
  under way counts until it has failed.
   * @param fd The descriptor.
   */
  function isConnected(fd: number): boolean
  const is_connected: typeof isConnected
  export { isConnected, is_connected }
  /**
   * Closes the client's connection now, after what was written; headers that were not sent never are. The code goes on, what
  it writes fails, and what it returns is dropped. The request's body can no longer be read.
   * @throws ValueError: there is no request
   */
  function disconnect(): undefined
  export { disconnect }
  /**
   * How many requests this worker has served so far: 0 during the first, one more in `after_req_hook`. 0 outside
  workers.
   */
  function requestId(): number
  const request_id: typeof requestId
  export { requestId, request_id }
  /**
   * Bytes of the body of the request that is being served, as its head announces them; 0 for none.
   * @throws ValueError: no request is being served here
   */
  function cl(): number
  export { cl }
  /**
   * Makes a file the response's body, under the status and headers that the app gives; what the app writes is dropped. It
  is sent without the worker once the handler is done. With status 200, type, length, date and ranges are seen to. Allowed are the
  directories of the app, `--pythonpath`, `--static-safe` and static files. Not_defined: there is no such file to be read.
  Differs from uWSGI: it takes no descriptor, and sends nothing before the handler has returned.
   * @param filename The file: absolute, or from the server's working directory.
   * @param chunk Has no effect.
   * @param pos Where to begin.
   * @param size How much to send; 0: all there is.
   * @throws ValueError: no request is being served here
   * @throws ValueError: the file lies outside of the directories from which files may be sent
   */
  function sendfile(filename: string | Uint8Array, chunk?: number, pos?: number, size?: number): true | undefined
  export { sendfile }
  /**
   * Sets a variable for this request's log line, where `--log-format` has %(name). Differs from uWSGI: what is longer than
  255 bytes is an error, and not dropped silently.
   * @param name The name of the variable.
   * @param value What the log line is to show.
   * @throws ValueError: no request is being served here
   */
  function setLogvar(name: string | Uint8Array, value: string | Uint8Array): undefined
  const set_logvar: typeof setLogvar
  export { setLogvar, set_logvar }
  /**
   * A variable that `set_logvar` has set for this request; not_defined for any other.
   * @param name The name of the variable.
   * @throws ValueError: no request is being served here
   */
  function getLogvar(name: string | Uint8Array): UwsgiBytes | undefined
  const get_logvar: typeof getLogvar
  export { getLogvar, get_logvar }
  /**
   * How many workers there are (`--workers`).
   */
  const numproc: number
  export { numproc }
  /**
   * How many requests one worker may hold at once (`--async`).
   */
  const cores: number
  export { cores }
  /**
   * Whether applications can start threads: 0, since no interpreter here has any. As in uWSGI it is a number.
   */
  const hasThreads: number
  const has_threads: typeof hasThreads
  export { hasThreads, has_threads }
  /**
   * Bytes a request's variables may have together (`--buffer-size`).
   */
  const bufferSize: number
  const buffer_size: typeof bufferSize
  export { bufferSize, buffer_size }
  /**
   * When the server started, in seconds since the epoch.
   */
  const startedOn: number
  const started_on: typeof startedOn
  export { startedOn, started_on }
  /**
   * Whether this code was loaded by a reload of the server, and not by its start.
   */
  const isAReload: boolean
  const is_a_reload: typeof isAReload
  export { isAReload, is_a_reload }
  /**
   * What every worker is doing and has done. `status` is idle, busy, or sig17 in the handler of signal 17; times are in
  microseconds, `tx` and memory in bytes. Differs from uWSGI: workers are threads, so `pid`, `rss` and `vsz` are those of
  their one process (pid is 0 for a worker that does not run), and `chdir` is empty.
   */
  function workers(): Worker[]
  export { workers }
  /**
   * How many requests all workers have served since the server started.
   */
  function totalRequests(): number
  const total_requests: typeof totalRequests
  export { totalRequests, total_requests }
  /**
   * Bytes of memory: what lies in RAM, and the address space. Differs from uWSGI: both are of the whole server, whose
  threads the workers are.
   */
  function mem(): [number, number]
  export { mem }
  /**
   * The time, in microseconds since the epoch.
   */
  function micros(): number
  export { micros }
  /**
   * Asks the master for a graceful reload: apps are loaded anew, requests that run are finished first. Returns at once.
   */
  function reload(): true
  export { reload }
  /**
   * Asks the master to stop the server; requests that run are finished first. Returns at once.
   */
  function stop(): true
  export { stop }
  /**
   * Names this worker's thread for `top -H` and `ps -L` (/proc/PID/task/TID/comm). Differs from uWSGI: it is the name of
  the thread, not the command line of a process. Nothing happens where the system has no such names.
   * @param name The name; the kernel keeps 15 bytes of it.
   */
  function setprocname(name: string | Uint8Array): undefined
  export { setprocname }
  /**
   * Gives what runs here a deadline of its own, beside `--harakiri`: when it is still at work then, it is stopped where its
  language can do that, else its worker is ended and started anew. A deadline set while a request is served ends with the request; of several requests at work in one worker each has its own,
  and the earliest counts.
   * @param seconds From now on; 0: no deadline any more.
   */
  function setUserHarakiri(seconds: number): undefined
  const set_user_harakiri: typeof setUserHarakiri
  export { setUserHarakiri, set_user_harakiri }
  /**
   * The value of a metric; 0 for one that is not there, and for all of them without `--enable-metrics` or `--metric`.
  Those that the server keeps are brought up to date every second.
   * @param name The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
   */
  function metricGet(name: string | Uint8Array): number | bigint
  const metric_get: typeof metricGet
  export { metricGet, metric_get }
  /**
   * Gives a metric of `--metric` a value. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
   * @param name The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
   * @param value The new value.
   */
  function metricSet(name: string | Uint8Array, value?: number | bigint): true | undefined
  const metric_set: typeof metricSet
  export { metricSet, metric_set }
  /**
   * Adds to a metric of `--metric`; no increment is lost, whoever else counts at the same time. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
   * @param name The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
   * @param value How much more.
   */
  function metricInc(name: string | Uint8Array, value?: number | bigint): true | undefined
  const metric_inc: typeof metricInc
  export { metricInc, metric_inc }
  /**
   * Takes from a metric of `--metric`. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
   * @param name The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
   * @param value How much less.
   */
  function metricDec(name: string | Uint8Array, value?: number | bigint): true | undefined
  const metric_dec: typeof metricDec
  export { metricDec, metric_dec }
  /**
   * Multiplies a metric of `--metric`. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
   * @param name The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
   * @param value The factor.
   */
  function metricMul(name: string | Uint8Array, value?: number | bigint): true | undefined
  const metric_mul: typeof metricMul
  export { metricMul, metric_mul }
  /**
   * Divides a metric of `--metric`, rounding toward zero. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself. So too for a divisor of 0.
   * @param name The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
   * @param value The divisor.
   */
  function metricDiv(name: string | Uint8Array, value?: number | bigint): true | undefined
  const metric_div: typeof metricDiv
  export { metricDiv, metric_div }
  /**
   * Raises a metric of `--metric` to a value that it is below. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
   * @param name The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
   * @param value The least the metric is to be.
   */
  function metricSetMax(name: string | Uint8Array, value?: number | bigint): true | undefined
  const metric_set_max: typeof metricSetMax
  export { metricSetMax, metric_set_max }
  /**
   * Lowers a metric of `--metric` to a value that it is above. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
   * @param name The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
   * @param value The most the metric is to be.
   */
  function metricSetMin(name: string | Uint8Array, value?: number | bigint): true | undefined
  const metric_set_min: typeof metricSetMin
  export { metricSetMin, metric_set_min }
  /**
   * How many slots the queue has (`--queue`); 0 without a queue.
   */
  const queueSize: number
  const queue_size: typeof queueSize
  export { queueSize, queue_size }
  /**
   * Puts a message into the next slot. The queue is never full: a message that nobody has taken is overwritten in its turn.
  Returns not_defined for a message that is empty or too long.
   * @param message The message: at least one byte, at most `--queue-blocksize` less 16.
   * @throws ValueError: no queue is configured
   */
  function queuePush(message: string | Uint8Array): true | undefined
  const queue_push: typeof queuePush
  export { queuePush, queue_push }
  /**
   * Takes the message pushed last: the queue as a stack. Not_defined when there is none. Differs from uWSGI: an empty queue
  stays as it is.
   * @throws ValueError: no queue is configured
   */
  function queuePop(): UwsgiBytes | undefined
  const queue_pop: typeof queuePop
  export { queuePop, queue_pop }
  /**
   * Takes the message at the pull slot and moves that on, so messages come in the order they were pushed. Not_defined when
  there is none. As in uWSGI, a push that overwrites does not move the pull slot.
   * @throws ValueError: no queue is configured
   */
  function queuePull(): UwsgiBytes | undefined
  const queue_pull: typeof queuePull
  export { queuePull, queue_pull }
  /**
   * What is in a slot, which keeps it. Not_defined for an empty slot, or one that is not there.
   * @param index Which slot, from 0.
   * @throws ValueError: no queue is configured
   */
  function queueGet(index: number): UwsgiBytes | undefined
  const queue_get: typeof queueGet
  export { queueGet, queue_get }
  /**
   * Puts a message into a slot of one's choice; pushes and pulls go on where they were. Not_defined for a slot that is not
  there and for a message that is empty or too long. Differs from uWSGI: too long is the same as for `queue_push`.
   * @param index Which slot, from 0.
   * @param message The message: at least one byte, at most `--queue-blocksize` less 16.
   * @throws ValueError: no queue is configured
   */
  function queueSet(index: number, message: string | Uint8Array): true | undefined
  const queue_set: typeof queueSet
  export { queueSet, queue_set }
  /**
   * The messages pushed last, the newest first; they stay. Differs from uWSGI: it is a list for one message too, and slots
  whose message was taken are passed over.
   * @param count How many slots to look at.
   * @throws ValueError: no queue is configured
   */
  function queueLast(count?: number): UwsgiBytes[]
  const queue_last: typeof queueLast
  export { queueLast, queue_last }
  /**
   * The slot that the next push fills.
   * @throws ValueError: no queue is configured
   */
  function queueSlot(): number
  const queue_slot: typeof queueSlot
  export { queueSlot, queue_slot }
  /**
   * The slot that the next pull empties.
   * @throws ValueError: no queue is configured
   */
  function queuePullSlot(): number
  const queue_pull_slot: typeof queuePullSlot
  export { queuePullSlot, queue_pull_slot }
  /**
   * Reads bytes of an area.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param length How many bytes; 0: to the end.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaRead(id: number, position: number, length?: number): UwsgiBytes
  const sharedarea_read: typeof sharedareaRead
  export { sharedareaRead, sharedarea_read }
  /**
   * Writes bytes into an area: all of them, or none when they do not fit.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param data The bytes.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaWrite(id: number, position: number, data: string | Uint8Array): undefined
  const sharedarea_write: typeof sharedareaWrite
  export { sharedareaWrite, sharedarea_write }
  /**
   * Reads a signed number of 8 bits, in the machine's byte order.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaRead8(id: number, position: number): number
  const sharedarea_read8: typeof sharedareaRead8
  const sharedareaReadbyte: typeof sharedareaRead8
  const sharedarea_readbyte: typeof sharedareaRead8
  export { sharedareaRead8, sharedarea_read8, sharedareaReadbyte, sharedarea_readbyte }
  /**
   * Reads a signed number of 16 bits, in the machine's byte order.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaRead16(id: number, position: number): number
  const sharedarea_read16: typeof sharedareaRead16
  export { sharedareaRead16, sharedarea_read16 }
  /**
   * Reads a signed number of 32 bits, in the machine's byte order.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaRead32(id: number, position: number): number
  const sharedarea_read32: typeof sharedareaRead32
  export { sharedareaRead32, sharedarea_read32 }
  /**
   * Reads a signed number of 64 bits, in the machine's byte order.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaRead64(id: number, position: number): number | bigint
  const sharedarea_read64: typeof sharedareaRead64
  const sharedareaReadlong: typeof sharedareaRead64
  const sharedarea_readlong: typeof sharedareaRead64
  export { sharedareaRead64, sharedarea_read64, sharedareaReadlong, sharedarea_readlong }
  /**
   * Writes a number of 8 bits, in the machine's byte order.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param value A number of 8 bits.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaWrite8(id: number, position: number, value: number): undefined
  const sharedarea_write8: typeof sharedareaWrite8
  const sharedareaWritebyte: typeof sharedareaWrite8
  const sharedarea_writebyte: typeof sharedareaWrite8
  export { sharedareaWrite8, sharedarea_write8, sharedareaWritebyte, sharedarea_writebyte }
  /**
   * Writes a number of 16 bits, in the machine's byte order.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param value A number of 16 bits.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaWrite16(id: number, position: number, value: number): undefined
  const sharedarea_write16: typeof sharedareaWrite16
  export { sharedareaWrite16, sharedarea_write16 }
  /**
   * Writes a number of 32 bits, in the machine's byte order.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param value A number of 32 bits.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaWrite32(id: number, position: number, value: number): undefined
  const sharedarea_write32: typeof sharedareaWrite32
  export { sharedareaWrite32, sharedarea_write32 }
  /**
   * Writes a number of 64 bits, in the machine's byte order.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param value A signed number of 64 bits.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaWrite64(id: number, position: number, value: number | bigint): undefined
  const sharedarea_write64: typeof sharedareaWrite64
  const sharedareaWritelong: typeof sharedareaWrite64
  const sharedarea_writelong: typeof sharedareaWrite64
  export { sharedareaWrite64, sharedarea_write64, sharedareaWritelong, sharedarea_writelong }
  /**
   * Adds to a number of 32 bits; whatever others do at the same time, no step is lost.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param value By how much.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaInc32(id: number, position: number, value?: number): undefined
  const sharedarea_inc32: typeof sharedareaInc32
  export { sharedareaInc32, sharedarea_inc32 }
  /**
   * Adds to a number of 64 bits; whatever others do at the same time, no step is lost.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param value By how much.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaInc64(id: number, position: number, value?: number | bigint): undefined
  const sharedarea_inc64: typeof sharedareaInc64
  const sharedareaInclong: typeof sharedareaInc64
  const sharedarea_inclong: typeof sharedareaInc64
  export { sharedareaInc64, sharedarea_inc64, sharedareaInclong, sharedarea_inclong }
  /**
   * Subtracts from a number of 32 bits; whatever others do at the same time, no step is lost.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param value By how much.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaDec32(id: number, position: number, value?: number): undefined
  const sharedarea_dec32: typeof sharedareaDec32
  export { sharedareaDec32, sharedarea_dec32 }
  /**
   * Subtracts from a number of 64 bits; whatever others do at the same time, no step is lost.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @param position Byte of the area, from 0.
   * @param value By how much.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaDec64(id: number, position: number, value?: number | bigint): undefined
  const sharedarea_dec64: typeof sharedareaDec64
  export { sharedareaDec64, sharedarea_dec64 }
  /**
   * Locks an area to read: nobody changes it until `sharedarea_unlock`, and others may read it. May be taken several
  times, to be unlocked as often. It is freed when its holder is ended.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   * @throws ValueError: this worker has the area locked to write
   */
  function sharedareaRlock(id: number): undefined
  const sharedarea_rlock: typeof sharedareaRlock
  export { sharedareaRlock, sharedarea_rlock }
  /**
   * Locks an area to write: until `sharedarea_unlock` nobody else reads or changes it. Differs from uWSGI: the holder's
  own functions go on working, and locking twice is an error; there both hang. It is freed when its holder is ended.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   * @throws ValueError: this worker has the area locked already
   */
  function sharedareaWlock(id: number): undefined
  const sharedarea_wlock: typeof sharedareaWlock
  export { sharedareaWlock, sharedarea_wlock }
  /**
   * Gives back what this worker has locked of an area. Nothing happens when that is nothing.
   * @param id Which area, from 0 in the order of the `--sharedarea` options.
   * @throws ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
   */
  function sharedareaUnlock(id: number): undefined
  const sharedarea_unlock: typeof sharedareaUnlock
  export { sharedareaUnlock, sharedarea_unlock }
  /**
   * The functions that may wait, each as one that gives a promise: what others do goes on meanwhile. Arguments are read at the call;
   * whatever is wrong rejects the promise, with the error that the plain function throws.
   */
  const promises: {
    readonly cacheGet: Waiting<typeof cacheGet>
    readonly cache_get: Waiting<typeof cache_get>
    readonly cacheExists: Waiting<typeof cacheExists>
    readonly cache_exists: Waiting<typeof cache_exists>
    readonly cacheSet: Waiting<typeof cacheSet>
    readonly cache_set: Waiting<typeof cache_set>
    readonly cacheUpdate: Waiting<typeof cacheUpdate>
    readonly cache_update: Waiting<typeof cache_update>
    readonly cacheDel: Waiting<typeof cacheDel>
    readonly cache_del: Waiting<typeof cache_del>
    readonly cacheNum: Waiting<typeof cacheNum>
    readonly cache_num: Waiting<typeof cache_num>
    readonly cacheClear: Waiting<typeof cacheClear>
    readonly cache_clear: Waiting<typeof cache_clear>
    readonly lock: Waiting<typeof lock>
    readonly signal: Waiting<typeof signal>
    readonly signalWait: Waiting<typeof signalWait>
    readonly signal_wait: Waiting<typeof signal_wait>
    readonly addTimer: Waiting<typeof addTimer>
    readonly add_timer: Waiting<typeof add_timer>
    readonly addMsTimer: Waiting<typeof addMsTimer>
    readonly add_ms_timer: Waiting<typeof add_ms_timer>
    readonly addRbTimer: Waiting<typeof addRbTimer>
    readonly add_rb_timer: Waiting<typeof add_rb_timer>
    readonly addCron: Waiting<typeof addCron>
    readonly add_cron: Waiting<typeof add_cron>
    readonly addFileMonitor: Waiting<typeof addFileMonitor>
    readonly add_file_monitor: Waiting<typeof add_file_monitor>
    readonly rpc: Waiting<typeof rpc>
    readonly call: Waiting<typeof call>
    readonly muleGetMsg: Waiting<typeof muleGetMsg>
    readonly mule_get_msg: Waiting<typeof mule_get_msg>
    readonly farmGetMsg: Waiting<typeof farmGetMsg>
    readonly farm_get_msg: Waiting<typeof farm_get_msg>
    readonly spool: Waiting<typeof spool>
    readonly sendToSpooler: Waiting<typeof sendToSpooler>
    readonly send_to_spooler: Waiting<typeof send_to_spooler>
    readonly spoolerJobs: Waiting<typeof spoolerJobs>
    readonly spooler_jobs: Waiting<typeof spooler_jobs>
    readonly spoolerGetTask: Waiting<typeof spoolerGetTask>
    readonly spooler_get_task: Waiting<typeof spooler_get_task>
    readonly asyncConnect: Waiting<typeof asyncConnect>
    readonly async_connect: Waiting<typeof async_connect>
    readonly send: Waiting<typeof send>
    readonly recv: Waiting<typeof recv>
    readonly close: Waiting<typeof close>
    readonly connect: Waiting<typeof connect>
    readonly isConnected: Waiting<typeof isConnected>
    readonly is_connected: Waiting<typeof is_connected>
    readonly disconnect: Waiting<typeof disconnect>
    readonly sharedareaRead: Waiting<typeof sharedareaRead>
    readonly sharedarea_read: Waiting<typeof sharedarea_read>
    readonly sharedareaWrite: Waiting<typeof sharedareaWrite>
    readonly sharedarea_write: Waiting<typeof sharedarea_write>
    readonly sharedareaRead8: Waiting<typeof sharedareaRead8>
    readonly sharedarea_read8: Waiting<typeof sharedarea_read8>
    readonly sharedareaReadbyte: Waiting<typeof sharedareaReadbyte>
    readonly sharedarea_readbyte: Waiting<typeof sharedarea_readbyte>
    readonly sharedareaRead16: Waiting<typeof sharedareaRead16>
    readonly sharedarea_read16: Waiting<typeof sharedarea_read16>
    readonly sharedareaRead32: Waiting<typeof sharedareaRead32>
    readonly sharedarea_read32: Waiting<typeof sharedarea_read32>
    readonly sharedareaRead64: Waiting<typeof sharedareaRead64>
    readonly sharedarea_read64: Waiting<typeof sharedarea_read64>
    readonly sharedareaReadlong: Waiting<typeof sharedareaReadlong>
    readonly sharedarea_readlong: Waiting<typeof sharedarea_readlong>
    readonly sharedareaWrite8: Waiting<typeof sharedareaWrite8>
    readonly sharedarea_write8: Waiting<typeof sharedarea_write8>
    readonly sharedareaWritebyte: Waiting<typeof sharedareaWritebyte>
    readonly sharedarea_writebyte: Waiting<typeof sharedarea_writebyte>
    readonly sharedareaWrite16: Waiting<typeof sharedareaWrite16>
    readonly sharedarea_write16: Waiting<typeof sharedarea_write16>
    readonly sharedareaWrite32: Waiting<typeof sharedareaWrite32>
    readonly sharedarea_write32: Waiting<typeof sharedarea_write32>
    readonly sharedareaWrite64: Waiting<typeof sharedareaWrite64>
    readonly sharedarea_write64: Waiting<typeof sharedarea_write64>
    readonly sharedareaWritelong: Waiting<typeof sharedareaWritelong>
    readonly sharedarea_writelong: Waiting<typeof sharedarea_writelong>
    readonly sharedareaInc32: Waiting<typeof sharedareaInc32>
    readonly sharedarea_inc32: Waiting<typeof sharedarea_inc32>
    readonly sharedareaInc64: Waiting<typeof sharedareaInc64>
    readonly sharedarea_inc64: Waiting<typeof sharedarea_inc64>
    readonly sharedareaInclong: Waiting<typeof sharedareaInclong>
    readonly sharedarea_inclong: Waiting<typeof sharedarea_inclong>
    readonly sharedareaDec32: Waiting<typeof sharedareaDec32>
    readonly sharedarea_dec32: Waiting<typeof sharedarea_dec32>
    readonly sharedareaDec64: Waiting<typeof sharedareaDec64>
    readonly sharedarea_dec64: Waiting<typeof sharedarea_dec64>
    readonly sharedareaRlock: Waiting<typeof sharedareaRlock>
    readonly sharedarea_rlock: Waiting<typeof sharedarea_rlock>
    readonly sharedareaWlock: Waiting<typeof sharedareaWlock>
    readonly sharedarea_wlock: Waiting<typeof sharedarea_wlock>
  }
  export { promises }
  const uwsgi: {
    version: typeof version
    versionInfo: typeof versionInfo
    version_info: typeof version_info
    hostname: typeof hostname
    workerId: typeof workerId
    worker_id: typeof worker_id
    masterpid: typeof masterpid
    muleId: typeof muleId
    mule_id: typeof mule_id
    iAmTheSpooler: typeof iAmTheSpooler
    i_am_the_spooler: typeof i_am_the_spooler
    log: typeof log
    logThisRequest: typeof logThisRequest
    log_this_request: typeof log_this_request
    opt: typeof opt
    cacheGet: typeof cacheGet
    cache_get: typeof cache_get
    cacheExists: typeof cacheExists
    cache_exists: typeof cache_exists
    cacheSet: typeof cacheSet
    cache_set: typeof cache_set
    cacheUpdate: typeof cacheUpdate
    cache_update: typeof cache_update
    cacheDel: typeof cacheDel
    cache_del: typeof cache_del
    cacheInc: typeof cacheInc
    cache_inc: typeof cache_inc
    cacheDec: typeof cacheDec
    cache_dec: typeof cache_dec
    cacheMul: typeof cacheMul
    cache_mul: typeof cache_mul
    cacheDiv: typeof cacheDiv
    cache_div: typeof cache_div
    cacheNum: typeof cacheNum
    cache_num: typeof cache_num
    cacheClear: typeof cacheClear
    cache_clear: typeof cache_clear
    cacheKeys: typeof cacheKeys
    cache_keys: typeof cache_keys
    lock: typeof lock
    unlock: typeof unlock
    isLocked: typeof isLocked
    is_locked: typeof is_locked
    signal: typeof signal
    registerSignal: typeof registerSignal
    register_signal: typeof register_signal
    signalRegistered: typeof signalRegistered
    signal_registered: typeof signal_registered
    signalWait: typeof signalWait
    signal_wait: typeof signal_wait
    signalReceived: typeof signalReceived
    signal_received: typeof signal_received
    addTimer: typeof addTimer
    add_timer: typeof add_timer
    addMsTimer: typeof addMsTimer
    add_ms_timer: typeof add_ms_timer
    addRbTimer: typeof addRbTimer
    add_rb_timer: typeof add_rb_timer
    addCron: typeof addCron
    add_cron: typeof add_cron
    addFileMonitor: typeof addFileMonitor
    add_file_monitor: typeof add_file_monitor
    registerRpc: typeof registerRpc
    register_rpc: typeof register_rpc
    rpc: typeof rpc
    call: typeof call
    rpcList: typeof rpcList
    rpc_list: typeof rpc_list
    muleMsg: typeof muleMsg
    mule_msg: typeof mule_msg
    farmMsg: typeof farmMsg
    farm_msg: typeof farm_msg
    muleGetMsg: typeof muleGetMsg
    mule_get_msg: typeof mule_get_msg
    farmGetMsg: typeof farmGetMsg
    farm_get_msg: typeof farm_get_msg
    inFarm: typeof inFarm
    in_farm: typeof in_farm
    muleMsgHook: typeof muleMsgHook
    mule_msg_hook: typeof mule_msg_hook
    postForkHook: typeof postForkHook
    post_fork_hook: typeof post_fork_hook
    afterReqHook: typeof afterReqHook
    after_req_hook: typeof after_req_hook
    atexit: typeof atexit
    SPOOL_OK: typeof SPOOL_OK
    SPOOL_RETRY: typeof SPOOL_RETRY
    SPOOL_IGNORE: typeof SPOOL_IGNORE
    spoolers: typeof spoolers
    spool: typeof spool
    sendToSpooler: typeof sendToSpooler
    send_to_spooler: typeof send_to_spooler
    setSpoolerFrequency: typeof setSpoolerFrequency
    set_spooler_frequency: typeof set_spooler_frequency
    spoolerJobs: typeof spoolerJobs
    spooler_jobs: typeof spooler_jobs
    spoolerGetTask: typeof spoolerGetTask
    spooler_get_task: typeof spooler_get_task
    spoolerPid: typeof spoolerPid
    spooler_pid: typeof spooler_pid
    spoolerPids: typeof spoolerPids
    spooler_pids: typeof spooler_pids
    spooler: typeof spooler
    alarm: typeof alarm
    suspend: typeof suspend
    greenSchedule: typeof greenSchedule
    green_schedule: typeof green_schedule
    asyncSleep: typeof asyncSleep
    async_sleep: typeof async_sleep
    asyncConnect: typeof asyncConnect
    async_connect: typeof async_connect
    waitFdRead: typeof waitFdRead
    wait_fd_read: typeof wait_fd_read
    waitFdWrite: typeof waitFdWrite
    wait_fd_write: typeof wait_fd_write
    readyFd: typeof readyFd
    ready_fd: typeof ready_fd
    asyncId: typeof asyncId
    async_id: typeof async_id
    connectionFd: typeof connectionFd
    connection_fd: typeof connection_fd
    send: typeof send
    recv: typeof recv
    close: typeof close
    connect: typeof connect
    isConnected: typeof isConnected
    is_connected: typeof is_connected
    disconnect: typeof disconnect
    requestId: typeof requestId
    request_id: typeof request_id
    cl: typeof cl
    sendfile: typeof sendfile
    setLogvar: typeof setLogvar
    set_logvar: typeof set_logvar
    getLogvar: typeof getLogvar
    get_logvar: typeof get_logvar
    numproc: typeof numproc
    cores: typeof cores
    hasThreads: typeof hasThreads
    has_threads: typeof has_threads
    bufferSize: typeof bufferSize
    buffer_size: typeof buffer_size
    startedOn: typeof startedOn
    started_on: typeof started_on
    isAReload: typeof isAReload
    is_a_reload: typeof is_a_reload
    workers: typeof workers
    totalRequests: typeof totalRequests
    total_requests: typeof total_requests
    mem: typeof mem
    micros: typeof micros
    reload: typeof reload
    stop: typeof stop
    setprocname: typeof setprocname
    setUserHarakiri: typeof setUserHarakiri
    set_user_harakiri: typeof set_user_harakiri
    metricGet: typeof metricGet
    metric_get: typeof metric_get
    metricSet: typeof metricSet
    metric_set: typeof metric_set
    metricInc: typeof metricInc
    metric_inc: typeof metric_inc
    metricDec: typeof metricDec
    metric_dec: typeof metric_dec
    metricMul: typeof metricMul
    metric_mul: typeof metric_mul
    metricDiv: typeof metricDiv
    metric_div: typeof metric_div
    metricSetMax: typeof metricSetMax
    metric_set_max: typeof metric_set_max
    metricSetMin: typeof metricSetMin
    metric_set_min: typeof metric_set_min
    queueSize: typeof queueSize
    queue_size: typeof queue_size
    queuePush: typeof queuePush
    queue_push: typeof queue_push
    queuePop: typeof queuePop
    queue_pop: typeof queue_pop
    queuePull: typeof queuePull
    queue_pull: typeof queue_pull
    queueGet: typeof queueGet
    queue_get: typeof queue_get
    queueSet: typeof queueSet
    queue_set: typeof queue_set
    queueLast: typeof queueLast
    queue_last: typeof queue_last
    queueSlot: typeof queueSlot
    queue_slot: typeof queue_slot
    queuePullSlot: typeof queuePullSlot
    queue_pull_slot: typeof queue_pull_slot
    sharedareaRead: typeof sharedareaRead
    sharedarea_read: typeof sharedarea_read
    sharedareaWrite: typeof sharedareaWrite
    sharedarea_write: typeof sharedarea_write
    sharedareaRead8: typeof sharedareaRead8
    sharedarea_read8: typeof sharedarea_read8
    sharedareaReadbyte: typeof sharedareaReadbyte
    sharedarea_readbyte: typeof sharedarea_readbyte
    sharedareaRead16: typeof sharedareaRead16
    sharedarea_read16: typeof sharedarea_read16
    sharedareaRead32: typeof sharedareaRead32
    sharedarea_read32: typeof sharedarea_read32
    sharedareaRead64: typeof sharedareaRead64
    sharedarea_read64: typeof sharedarea_read64
    sharedareaReadlong: typeof sharedareaReadlong
    sharedarea_readlong: typeof sharedarea_readlong
    sharedareaWrite8: typeof sharedareaWrite8
    sharedarea_write8: typeof sharedarea_write8
    sharedareaWritebyte: typeof sharedareaWritebyte
    sharedarea_writebyte: typeof sharedarea_writebyte
    sharedareaWrite16: typeof sharedareaWrite16
    sharedarea_write16: typeof sharedarea_write16
    sharedareaWrite32: typeof sharedareaWrite32
    sharedarea_write32: typeof sharedarea_write32
    sharedareaWrite64: typeof sharedareaWrite64
    sharedarea_write64: typeof sharedarea_write64
    sharedareaWritelong: typeof sharedareaWritelong
    sharedarea_writelong: typeof sharedarea_writelong
    sharedareaInc32: typeof sharedareaInc32
    sharedarea_inc32: typeof sharedarea_inc32
    sharedareaInc64: typeof sharedareaInc64
    sharedarea_inc64: typeof sharedarea_inc64
    sharedareaInclong: typeof sharedareaInclong
    sharedarea_inclong: typeof sharedarea_inclong
    sharedareaDec32: typeof sharedareaDec32
    sharedarea_dec32: typeof sharedarea_dec32
    sharedareaDec64: typeof sharedareaDec64
    sharedarea_dec64: typeof sharedarea_dec64
    sharedareaRlock: typeof sharedareaRlock
    sharedarea_rlock: typeof sharedarea_rlock
    sharedareaWlock: typeof sharedareaWlock
    sharedarea_wlock: typeof sharedarea_wlock
    sharedareaUnlock: typeof sharedareaUnlock
    sharedarea_unlock: typeof sharedarea_unlock
    readonly promises: typeof promises
  }
  export default uwsgi
}

declare const uwsgi: typeof import('uwsgi').default
