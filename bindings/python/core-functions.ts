// What guest/cores.py calls on the host: which core runs, and waiting until another one says so.
// Invariant: a core that parks is woken by its number once; a call to wake it that came before is not lost.
import type { PythonApi } from './capi.ts'
import type { Cores } from './cores.ts'
import type { HostFunctionDefinition } from './host-function.ts'

const longestTimerMs = 2 ** 31 - 1

export const coreFunctions = (api: PythonApi, cores: Cores): HostFunctionDefinition[] => {
  const { c } = api
  const parked = new Map<number, () => void>()
  const never = new Int32Array(new SharedArrayBuffer(4))
  const wait = async (ident: number, milliseconds: number | undefined): Promise<void> => {
    const woken = Promise.withResolvers<void>()
    parked.set(ident, woken.resolve)
    const timer = milliseconds === undefined ? undefined : setTimeout(woken.resolve, Math.min(milliseconds, longestTimerMs))
    cores.callOff = woken.resolve
    await woken.promise
    clearTimeout(timer)
    if (parked.get(ident) === woken.resolve) parked.delete(ident)
  }
  return [
    {
      name: 'core_ident',
      doc: 'core_ident()\n--\n\nA number for the core that runs; 0 outside of cores.',
      takes: 'positional',
      count: 0,
      call: () => c.PyLong_FromLong(cores.ident),
    },
    {
      name: 'park',
      doc: 'park(timeout)\n--\n\nWaits until the core is woken, or for so many seconds; -1: for as long as it takes.',
      takes: 'one',
      mayWait: true,
      call: (_self, timeout) => {
        const seconds = c.PyFloat_AsDouble(timeout)
        if (seconds === -1 && c.PyErr_Occurred() !== 0) return 0
        const milliseconds = seconds < 0 ? undefined : Math.ceil(seconds * 1000)
        if (cores.canWait) return wait(cores.ident, milliseconds).then(() => () => api.none)
        // Whoever holds the lock is suspended, and stays so for as long as this code runs.
        if (milliseconds === undefined) return api.raise('runtimeError', deadlock)
        Atomics.wait(never, 0, 0, milliseconds)
        return api.none
      },
    },
    {
      name: 'unpark',
      doc: 'unpark(ident)\n--\n\nWakes a core that waits, if it does.',
      takes: 'one',
      call: (_self, ident) => {
        const number = c.PyLong_AsLongAndOverflow(ident, api.out)
        parked.get(number)?.()
        return api.none
      },
    },
  ]
}

const deadlock =
  'deadlock: a core that waits holds this lock, and code that runs outside of cores, or was called by way of the server, cannot be suspended'
