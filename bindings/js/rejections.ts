// Rejected promises that nobody handles: reported to the log when the turn is over. QuickJS has a hook for them, which the
// C interface does not export: it is a word of JSRuntime, found next to a word that can be set, and the function goes
// into the module's table. Invariant: every promise and reason kept here is freed when it is handled or reported.

import { wasm } from '../../host/plugin/web-assembly.ts'
import type { Engine, Pointer } from './engine.ts'
import type { Suspension } from './suspend.ts'

// (import "h" "f" (func (param i32 i64 i64 i32 i32))) (export "f" (func 0)): gives a host function the hook's C type.
const trampoline = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 9, 1, 0x60, 5, 0x7f, 0x7e, 0x7e, 0x7f, 0x7f, 0, 2, 7, 1, 1, 0x68, 1, 0x66, 0, 0, 7, 5, 1, 1,
  0x66, 0, 0,
])

// JSRuntime is smaller than this.
const runtimeWords = 128
// A guest that rejects without end must not fill the memory with what it never handles.
const mostKept = 1000

interface Rejection {
  readonly promise: Pointer
  readonly reason: Pointer
}

export class Rejections {
  readonly #engine: Engine
  readonly #cell: Pointer
  readonly #kept = new Map<number, Rejection>()
  #dropped = 0
  /** Called with each reason; the value is freed afterwards. */
  readonly #report: (reason: Pointer) => void

  constructor(engine: Engine, suspension: Suspension, report: (reason: Pointer) => void) {
    this.#engine = engine
    this.#report = report
    this.#cell = engine.allocate(8)
    this.#install()
    suspension.onTurnEnd.add(() => {
      if ((this.#kept.size > 0 || this.#dropped > 0) && !suspension.hasJobs) this.#reportAll()
    })
  }

  /** How many were dropped because too many came at once; reported by number. */
  onDropped: (count: number) => void = () => {}

  #install(): void {
    const { ffi, runtime, table } = this.#engine
    const start = runtime >> 2
    const before = this.#engine.u32.slice(start, start + runtimeWords)
    ffi._QTS_RuntimeEnableInterruptHandler(runtime)
    const changed = this.#engine.u32.slice(start, start + runtimeWords).findIndex((word, index) => word !== before[index])
    ffi._QTS_RuntimeDisableInterruptHandler(runtime)
    // struct JSRuntime: interrupt_handler, interrupt_opaque, host_promise_rejection_tracker, its opaque.
    if (changed === -1 || before[changed + 2] !== 0) throw new Error('this build of QuickJS has no rejection hook where expected')
    const instance = new wasm.Instance(new wasm.Module(trampoline), {
      h: {
        f: (_context: Pointer, promise: bigint, reason: bigint, isHandled: number) =>
          this.#track(promise, reason, isHandled !== 0),
      },
    })
    const index = table.grow(1)
    table.set(index, instance.exports['f'])
    this.#engine.u32[start + changed + 2] = index

    this.#engine.free(this.#engine.evaluate('Promise.reject(1)', 'polywsgi:probe.js'))
    if (this.#kept.size !== 1) throw new Error('this build of QuickJS does not call its rejection hook')
    this.#clear()
  }

  #track(promise: bigint, reason: bigint, isHandled: boolean): void {
    const key = Number(BigInt.asUintN(32, promise))
    if (isHandled) {
      const rejection = this.#kept.get(key)
      if (rejection === undefined) return
      this.#kept.delete(key)
      this.#free(rejection)
      return
    }
    if (this.#kept.size >= mostKept) {
      this.#dropped += 1
      return
    }
    const kept = { promise: this.#duplicate(promise), reason: this.#duplicate(reason) }
    // Without memory for the note the rejection goes unreported.
    if (kept.promise === 0 || kept.reason === 0) this.#free(kept)
    else this.#kept.set(key, kept)
  }

  #duplicate(bits: bigint): Pointer {
    this.#engine.u32[this.#cell >> 2] = Number(BigInt.asUintN(32, bits))
    this.#engine.u32[(this.#cell >> 2) + 1] = Number(BigInt.asUintN(32, bits >> 32n))
    return this.#engine.ffi._QTS_DupValuePointer(this.#engine.context, this.#cell)
  }

  #free(rejection: Rejection): void {
    this.#engine.free(rejection.promise)
    this.#engine.free(rejection.reason)
  }

  #clear(): void {
    for (const rejection of this.#kept.values()) this.#free(rejection)
    this.#kept.clear()
  }

  #reportAll(): void {
    const all = [...this.#kept.values()]
    this.#kept.clear()
    for (const rejection of all) {
      this.#report(rejection.reason)
      this.#free(rejection)
    }
    if (this.#dropped > 0) this.onDropped(this.#dropped)
    this.#dropped = 0
  }
}
