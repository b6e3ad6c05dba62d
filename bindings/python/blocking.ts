// Host functions for what Python's library cannot do inside wasm without burning the processor or missing altogether:
// waiting, and key derivation for password hashes.
// Invariant: each is bounded in time or wakes up often enough for a pending signal to be seen.
import { pbkdf2Sync, scryptSync } from 'node:crypto'
import { ApiArgumentError } from '../../host/errors.ts'
import type { PythonApi } from './capi.ts'
import { fromPython } from './convert.ts'
import type { Cores } from './cores.ts'
import { type HostFunctionDefinition, hostAnswer } from './host-function.ts'

/** How long a sleep goes on before it looks whether it is to be interrupted. */
const sleepSliceMs = 50

/** What a timer can count. */
const longestTimerMs = 2 ** 31 - 1

/** Not before its time: timers of the event loop may come up to a millisecond early by the clock that guests read. */
const after = (milliseconds: number, cores: Cores): Promise<void> =>
  new Promise((resolve) => {
    const end = performance.now() + milliseconds
    let timer: NodeJS.Timeout
    const look = (): void => {
      const rest = end - performance.now()
      if (rest <= 0) resolve()
      else timer = setTimeout(look, Math.ceil(rest))
    }
    timer = setTimeout(look, Math.ceil(milliseconds))
    cores.callOff = () => clearTimeout(timer)
  })

/** About ten seconds on a slow machine: a derivation cannot be interrupted, not even by ending the thread. */
const mostPbkdf2Blocks = 20_000_000
const mostScryptBytes = 256 * 1024 * 1024
const mostScryptSteps = 16 * 1024 * 1024
const mostDerivedBytes = 1024 * 1024

export const blockingFunctions = (api: PythonApi, cores: Cores | undefined): HostFunctionDefinition[] => {
  const never = new Int32Array(new SharedArrayBuffer(4))
  return [
    {
      name: 'sleep',
      doc: 'sleep(seconds)\n--\n\nDelays execution for a number of seconds, which may be a fraction.',
      takes: 'one',
      mayWait: true,
      call: (_self, seconds) => {
        const duration = api.c.PyFloat_AsDouble(seconds) * 1000
        if (duration === -1000 && api.c.PyErr_Occurred() !== 0) return 0
        if (!(duration >= 0)) return api.raise('valueError', 'sleep length must be non-negative')
        if (duration > Number.MAX_SAFE_INTEGER) return api.raise('overflowError', 'sleep length is too large')
        if (cores?.canWait === true && duration <= longestTimerMs) return after(duration, cores).then(() => () => api.none)
        const end = performance.now() + duration
        for (let rest = duration; rest > 0; rest = end - performance.now()) {
          Atomics.wait(never, 0, 0, Math.min(rest, sleepSliceMs))
          if (api.c.PyErr_CheckSignals() !== 0) return 0
        }
        return api.none
      },
    },
    derivation(
      api,
      'derive_pbkdf2',
      ['hash_name', 'password', 'salt', 'iterations', 'dklen'],
      (name, password, salt, iterations, length) => {
        const digest = digests.get(text('hash_name', name).toLowerCase().replaceAll('-', '_'))
        if (digest === undefined) throw refusal('hash_name', `unsupported hash type ${text('hash_name', name)}`)
        const keyLength = length === undefined ? digest.bytes : positive('dklen', length, mostDerivedBytes)
        const blocks = Math.ceil(keyLength / digest.bytes)
        const rounds = positive('iterations', iterations, Math.floor(mostPbkdf2Blocks / blocks))
        return pbkdf2Sync(bytes('password', password), bytes('salt', salt), rounds, keyLength, digest.name)
      },
    ),
    derivation(
      api,
      'derive_scrypt',
      ['password', 'salt', 'n', 'r', 'p', 'maxmem', 'dklen'],
      (password, salt, n, r, p, maxmem, length) => {
        const cost = positive('n', n, mostScryptSteps)
        if (cost < 2 || (cost & (cost - 1)) !== 0) throw refusal('n', 'n must be a power of 2')
        const blockSize = positive('r', r, mostScryptSteps)
        const parallelization = positive('p', p, mostScryptSteps)
        if (cost * blockSize * parallelization > mostScryptSteps) throw refusal('n', 'n * r * p is too large')
        const limit = maxmem === undefined || maxmem === 0 ? 32 * 1024 * 1024 : positive('maxmem', maxmem, 2 ** 31 - 1)
        const needed = 128 * blockSize * (cost + parallelization + 2)
        if (needed > Math.min(limit, mostScryptBytes)) throw refusal('n', 'memory limit exceeded')
        const keyLength = positive('dklen', length, mostDerivedBytes)
        return scryptSync(bytes('password', password), bytes('salt', salt), keyLength, {
          N: cost,
          r: blockSize,
          p: parallelization,
          maxmem: needed + 1024 * 1024,
        })
      },
    ),
  ]
}

type Argument = ReturnType<typeof fromPython>

/** A host function of positional arguments that returns bytes. */
const derivation = (
  api: PythonApi,
  name: string,
  argumentNames: readonly string[],
  derive: (...values: Argument[]) => Uint8Array,
): HostFunctionDefinition => ({
  name,
  doc: `${name}(${argumentNames.join(', ')})\n--\n\nSee hashlib.`,
  takes: 'positional',
  count: argumentNames.length,
  call: (_self, args) => {
    const values: Argument[] = []
    try {
      for (const [index, argument] of argumentNames.entries()) {
        values.push(fromPython(api, api.words[(args >> 2) + index]!, name, argument))
      }
    } catch (error) {
      if (error instanceof ApiArgumentError) return api.raise('typeError', `${error.argument} is of the wrong type`)
      throw error
    }
    const key = hostAnswer(api, () => derive(...values))
    return key === undefined ? 0 : api.newBytes(key)
  },
})

/** Python's names of digests that Node has too, with their sizes in bytes. */
const digests = new Map(
  Object.entries({
    ...{ md5: 16, sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 },
    ...{ sha3_224: 28, sha3_256: 32, sha3_384: 48, sha3_512: 64 },
  }).map(([name, bytes]) => [name, { name: name.replace('_', '-'), bytes }]),
)

const refusal = (argument: string, message: string): ApiArgumentError => new HashlibError(argument, 'value', message)

/** As hashlib words it, without the name of an API function. */
class HashlibError extends ApiArgumentError {
  constructor(argument: string, fault: 'type' | 'value', message: string) {
    super('', argument, fault, message)
    this.message = message
  }
}

const text = (argument: string, value: Argument): string => {
  if (typeof value === 'string') return value
  throw new HashlibError(argument, 'type', `${argument} must be str`)
}

const bytes = (argument: string, value: Argument): Uint8Array => {
  if (value instanceof Uint8Array) return value
  throw new HashlibError(argument, 'type', `${argument} must be bytes`)
}

const positive = (argument: string, value: Argument, most: number): number => {
  if (typeof value !== 'number' && typeof value !== 'bigint')
    throw new HashlibError(argument, 'type', `${argument} must be an integer`)
  if (value < 1) throw refusal(argument, `${argument} must be greater than 0`)
  if (value > most) throw refusal(argument, `${argument} is too large`)
  return Number(value)
}
