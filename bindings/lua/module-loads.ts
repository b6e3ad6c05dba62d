// Modules that are being loaded: one that is required meanwhile by another request is waited for, where requests take turns, and
// a circle of modules is found also when several requests are in it.
// Invariant: what is being loaded by code that will never go on counts as no longer being loaded.
import { pushInteger, pushText } from './convert.ts'
import type { Pointer } from './glue.ts'
import type { HostFunction, LuaRuntime } from './runtime.ts'
import type { Task } from './task.ts'

interface Load {
  readonly owner: Task | undefined
  /** Of the entry in which it is loaded. */
  readonly thread: Pointer
  readonly done: PromiseWithResolvers<void>
}

export class ModuleLoads {
  readonly #runtime: LuaRuntime
  readonly #loads = new Map<number, Load>()
  /** For whose load a task waits. */
  readonly #waitsFor = new WeakMap<Task, Task>()
  #lastId = 0

  constructor(runtime: LuaRuntime) {
    this.#runtime = runtime
    runtime.onAbandoned = this.#abandoned
  }

  /** What guest/modules.lua needs of the host. */
  hostFunctions(): Readonly<Record<'beginModule' | 'awaitModule' | 'endModule', HostFunction>> {
    const runtime = this.#runtime
    const { lua } = runtime
    return {
      beginModule: (L) => {
        this.#lastId += 1
        this.#loads.set(this.#lastId, { owner: runtime.task, thread: runtime.entered, done: Promise.withResolvers() })
        pushInteger(runtime, L, this.#lastId)
        return 1
      },
      // Answers false when it would never end, nil and why when it cannot be waited for.
      awaitModule: (L) => {
        const load = this.#loads.get(lua.lua_tonumberx(L, 1, 0))
        const { task } = runtime
        const pushTrue = (): number => {
          lua.lua_pushboolean(L, 1)
          return 1
        }
        if (load === undefined) return pushTrue()
        if (this.#leadsTo(load.owner, task)) {
          lua.lua_pushboolean(L, 0)
          return 1
        }
        if (task === undefined || load.owner === undefined || !runtime.canWait(L)) {
          lua.lua_pushnil(L)
          pushText(runtime, L, 'another request is loading it, which cannot be waited for here')
          return 2
        }
        this.#waitsFor.set(task, load.owner)
        return runtime.wait(load.done.promise, () => {
          this.#waitsFor.delete(task)
          return pushTrue()
        })
      },
      endModule: (L) => {
        this.#end(lua.lua_tonumberx(L, 1, 0))
        return 0
      },
    }
  }

  readonly #abandoned = (thread: Pointer): void => {
    for (const [id, load] of this.#loads) if (load.thread === thread) this.#end(id)
  }

  #end(id: number): void {
    this.#loads.get(id)?.done.resolve()
    this.#loads.delete(id)
  }

  #leadsTo(from: Task | undefined, task: Task | undefined): boolean {
    for (let next = from; next !== undefined; next = this.#waitsFor.get(next)) if (next === task) return true
    return from === task
  }
}
