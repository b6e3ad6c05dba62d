// What the host runs of programs beside requests: hooks that they have set on `uwsgi`, and a mule's own program.
// Invariant: a hook that is not set costs a look at a table and enters nothing.
import type { BytesMap } from '../../host/api/kinds.ts'
import { GuestError } from '../../host/errors.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { Pointer } from './engine.ts'
import { guestErrorOf } from './errors.ts'
import type { Runtime } from './runtime.ts'

// uWSGI's SPOOL_RETRY: what a job gets whose handler says nothing that is an answer.
const spoolRetry = -1
const spoolNotMine = 0

const nothing = (): void => {}
const yes = (): true => true

export class Hooks {
  readonly #runtime: Runtime
  #ended: WsgiRequest | undefined

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** The request whose after_req_hook runs: it is over, so that the table of running ones has it no more. */
  get endedRequest(): WsgiRequest | undefined {
    return this.#ended
  }

  postFork(): void | Promise<void> {
    return this.#run('post_fork_hook')
  }

  afterRequest(request: WsgiRequest): void {
    const hook = this.#runtime.functions.hook('after_req_hook')
    if (hook === undefined) return
    this.#ended = request
    try {
      const done = this.#runtime.functions.callWithBytes(hook, [], nothing)
      if (done instanceof Promise) done.catch((error: unknown) => this.#log('after_req_hook', error))
    } finally {
      this.#ended = undefined
    }
  }

  /** Nobody waits for what an exit hook leaves unsettled, and no error of it stops the exit. */
  atexit(): void {
    try {
      const done = this.#run('atexit')
      if (done instanceof Promise) done.catch((error: unknown) => this.#log('atexit', error))
    } catch (error) {
      this.#log('atexit', error)
    }
  }

  muleMessage(message: Uint8Array): boolean | Promise<boolean> {
    const hook = this.#runtime.functions.hook('mule_msg_hook')
    return hook === undefined ? false : this.#runtime.functions.callWithBytes(hook, [message], yes)
  }

  spooler(file: string, vars: BytesMap, body: Uint8Array): number | Promise<number> {
    const { functions, converter } = this.#runtime
    const hook = functions.hook('spooler')
    if (hook === undefined) return spoolNotMine
    const read = (cell: Pointer): number => {
      const value = converter.value(cell)
      return typeof value === 'number' ? value : spoolRetry
    }
    return functions.callSpooler(hook, file, vars, body, read)
  }

  /**
   * Loads a mule's program and calls its default export, if that is a function. Settles when both are done; either may keep
   * the thread for ever.
   * @throws GuestError
   */
  async runProgram(file: string): Promise<void> {
    const { converter, functions, modules } = this.#runtime
    const path = modules.openApp(file)
    if (path === undefined) throw guestErrorOf(`cannot load ${file}: no such file`)
    const entry = modules.isCommonJs(path) ? 'runScript' : 'runModule'
    // Guests' timers alone keep no thread.
    const alive = setInterval(nothing, 0x7fffffff)
    try {
      await functions.invoke(entry, (put) => put(converter.newText(path)), nothing)
    } finally {
      clearInterval(alive)
    }
  }

  #run(name: string): void | Promise<void> {
    const hook = this.#runtime.functions.hook(name)
    return hook === undefined ? undefined : this.#runtime.functions.callWithBytes(hook, [], nothing)
  }

  #log(name: string, error: unknown): void {
    const what = error instanceof GuestError ? error.traceback : String(error)
    this.#runtime.log.text(`uncaught error in uwsgi.${name}: ${what}`)
  }
}
