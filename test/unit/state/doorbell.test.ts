// How a thread is woken: by every ring, by none too many, and in the end by itself.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Doorbell } from '../../../host/state/doorbell.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const newWords = (): Int32Array => new Int32Array(new SharedArrayBuffer(64))

describe('a doorbell', () => {
  afterEach(() => vi.restoreAllMocks())

  it('calls its owner at once, after each ring, and not after the close', async () => {
    const bell = new Doorbell(newWords())
    let looks = 0
    const attention = bell.attend(() => {
      looks += 1
      return false
    })
    expect(looks).toBe(1)
    expect(bell.isOwnerAsleep).toBe(true)
    bell.ring()
    expect(bell.isOwnerAsleep).toBe(false)
    while (looks < 2) await turn()
    bell.ring()
    while (looks < 3) await turn()
    attention.close()
    for (let n = 0; n < 10; n += 1) await turn()
    expect(looks).toBe(3)
  })

  it('is not missed when it rings while the owner is looking', async () => {
    const bell = new Doorbell(newWords())
    let looks = 0
    const attention = bell.attend(() => {
      looks += 1
      if (looks === 1) bell.ring()
      return false
    })
    expect(looks).toBe(2)
    attention.close()
  })

  it('lets the event loop turn when the owner left something undone', async () => {
    const bell = new Doorbell(newWords())
    let looks = 0
    const attention = bell.attend(() => {
      looks += 1
      return looks < 5
    })
    expect(looks).toBe(1)
    while (looks < 5) await turn()
    attention.close()
  })

  it('is looked after without a ring, should a notification be lost', async () => {
    // A notification that never comes: the promise of the sleep stays pending for ever.
    vi.spyOn(Atomics, 'waitAsync').mockReturnValue({ async: true, value: new Promise(() => {}) })
    const bell = new Doorbell(newWords())
    let looks = 0
    const attention = bell.attend(() => {
      looks += 1
      return false
    })
    bell.ring()
    expect(looks).toBe(1)
    await vi.waitFor(() => expect(looks).toBeGreaterThan(1), { timeout: 30_000 })
    attention.close()
  })
})
