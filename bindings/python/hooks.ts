// What guests assign to members of the `uwsgi` module for the server to call: looked up there each time, as uWSGI does.
// Invariant: a hook that nobody has set costs one look into the module's dict.
import type { Log } from '../../host/api/context.ts'
import type { BytesMap } from '../../host/api/kinds.ts'
import { GuestError } from '../../host/errors.ts'
import type { Callbacks } from './callbacks.ts'
import type { Pointer } from './capi.ts'
import { numberFromPython, taskDict } from './convert.ts'
import type { EventLoop } from './event-loop.ts'
import type { Interpreter } from './runtime.ts'
import type { Spaces } from './spaces.ts'

const names = ['post_fork_hook', 'after_req_hook', 'mule_msg_hook', 'spooler', 'atexit'] as const
type HookName = (typeof names)[number]

/** Keep the job and try it again: what uWSGI takes anything for that is no number. */
const spoolRetry = -1
const spoolIgnore = 0

/** How long a coroutine may take at the end of the thread. */
export const exitSeconds = 5

interface Hook {
  /** The name as a Python str. */
  readonly key: Pointer
  /** What was assigned when an app had last been loaded, and the space of that app. */
  known: Pointer
  space: Pointer
}

export class Hooks {
  readonly #interpreter: Interpreter
  readonly #callbacks: Callbacks
  readonly #spaces: Spaces
  readonly #loop: EventLoop
  readonly #log: Log
  readonly #members: Pointer
  readonly #hooks: Readonly<Record<HookName, Hook>>

  /** @param module the `uwsgi` module */
  constructor(
    interpreter: Interpreter,
    parts: { callbacks: Callbacks; spaces: Spaces; loop: EventLoop; log: Log; module: Pointer },
  ) {
    const { api } = interpreter
    this.#interpreter = interpreter
    this.#callbacks = parts.callbacks
    this.#spaces = parts.spaces
    this.#loop = parts.loop
    this.#log = parts.log
    this.#members = api.c.PyModule_GetDict(parts.module)
    const hook = (name: HookName): [HookName, Hook] => [name, { key: api.newStr(name), known: 0, space: 0 }]
    this.#hooks = Object.fromEntries(names.map(hook)) as Record<HookName, Hook>
  }

  /** To be called after an app was loaded: what it has set belongs to its space. */
  noteOwner(): void {
    const { c } = this.#interpreter.api
    for (const name of names) {
      const hook = this.#hooks[name]
      const found = this.#find(hook)
      if (found === hook.known) continue
      // Our reference keeps the address from being taken by another object.
      if (found !== 0) c.Py_IncRef(found)
      const last = hook.known
      hook.known = found
      hook.space = this.#spaces.active
      if (last !== 0) c.Py_DecRef(last)
    }
  }

  /** Ends the thread when the guest wants to (SystemExit); what goes wrong otherwise is logged, as uWSGI does. */
  postFork(): void | Promise<void> {
    return this.#callAndLog('post_fork_hook', (error) => /^SystemExit\b/.test(error.message))
  }

  afterRequest(): void | Promise<void> {
    return this.#callAndLog('after_req_hook')
  }

  /** Ends with the hook: the thread has no more turns for a coroutine. */
  atExit(): void {
    const running = this.#callAndLog('atexit')
    if (running === undefined) return
    if (!this.#interpreter.enter(() => this.#loop.driveLast(exitSeconds))) {
      this.#log.text(`python: uwsgi.atexit has not ended in ${exitSeconds} seconds`)
    }
  }

  /** @returns false when no hook is set; a promise for a coroutine function that waits @throws GuestError when it raises */
  muleMessage(message: Uint8Array): boolean | Promise<boolean> {
    const answer = this.#call('mule_msg_hook', () => [this.#interpreter.api.newBytes(message)])
    return answer instanceof Promise ? answer.then(() => true) : answer !== undefined
  }

  /** @returns the hook's number; 0 without a hook @throws GuestError when it raises */
  spool(file: string, vars: BytesMap, body: Uint8Array): number | Promise<number> {
    return this.#call('spooler', () => [taskDict(this.#interpreter.api, file, vars, body)]) ?? spoolIgnore
  }

  /** @param isToBeThrown what ends the thread */
  #callAndLog(name: HookName, isToBeThrown: (error: GuestError) => boolean = () => false): void | Promise<void> {
    if (this.#interpreter.death !== undefined) return
    const failed = (error: unknown): void => {
      if (!(error instanceof GuestError) || isFatal(error) || isToBeThrown(error)) throw error
      this.#log.text(error.report)
    }
    try {
      const answer = this.#call(name, () => [])
      if (answer instanceof Promise) return answer.then(() => undefined, failed)
    } catch (error) {
      failed(error)
    }
  }

  /**
   * Undefined when the hook is not set, else the number that it answered; -1 when that was something else.
   * @throws GuestError when it raises
   */
  #call(name: HookName, args: () => Pointer[]): number | undefined | Promise<number> {
    const hook = this.#hooks[name]
    this.#interpreter.assertAlive()
    const callable = this.#find(hook)
    if (callable === 0) return undefined
    return this.#interpreter.enter((api) => {
      const space = callable === hook.known ? hook.space : this.#spaces.active
      return this.#callbacks.callLater(callable, space, args(), (result) => numberFromPython(api, result) ?? spoolRetry)
    })
  }

  /** Borrowed; 0 when it is not set. */
  #find({ key }: Hook): Pointer {
    const { api } = this.#interpreter
    const found = api.c.PyDict_GetItem(this.#members, key)
    return found === api.none ? 0 : found
  }
}

const isFatal = (error: GuestError): boolean => (error as { fatal?: boolean }).fatal === true
