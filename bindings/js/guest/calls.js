// Functions of programs that the host calls: RPC and signal handlers, hooks, a mule's program. The host reads what is
// returned here; a promise it follows by a number.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { UwsgiBytes } = lib
  const { promiseState, promiseFulfilled, promiseRejected } = host

  // Anything that can be awaited is a promise for the host.
  const answer = (result) =>
    typeof result === 'object' && result !== null && promiseState(result) < 0 && typeof result.then === 'function'
      ? P.PromiseResolve(result)
      : result

  lib.entries.callWithBytes = (fn, ...args) => {
    for (let index = 0; index < args.length; index += 1) args[index] = new UwsgiBytes(args[index])
    return answer(P.apply(fn, undefined, args))
  }

  lib.entries.callWithValues = (fn, ...args) => answer(P.apply(fn, undefined, args))

  /** `vars`: names and values in turn; `body`: undefined when the job has none. */
  lib.entries.callSpooler = (fn, file, vars, body) => {
    const env = lib.dictOf(vars)
    env.spooler_task_name = file
    if (body !== undefined) env.body = new UwsgiBytes(body)
    return answer(fn(env))
  }

  lib.entries.watchPromise = (token, promise) => {
    P.PromiseThen(
      promise,
      (value) => promiseFulfilled(token, value),
      (reason) => promiseRejected(token, reason),
    )
  }
}
