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

  it('is not missed when a slow ring notifies before the owner waits in its event loop', async () => {
    // Without the watch: the ring alone has to do.
    vi.spyOn(globalThis, 'setInterval').mockReturnValue(setTimeout(() => {}, 0))
    const words = newWords()
    const bell = new Doorbell(words)
    let looks = 0
    beginRing(words)
    const attention = bell.attend(
      () => {
        looks += 1
        return false
      },
      () => {
        endRing(words)
        return false
      },
    )
    const before = looks
    bell.ring()
    while (looks === before) await turn()
    attention.close()
  })

  it('starves no timer of its owner while it rings without end', async () => {
    const bell = new Doorbell(newWords())
    let hasTurned = false
    setImmediate(() => (hasTurned = true))
    const attention = bell.attend(
      () => {
        if (!hasTurned) bell.ring()
        return false
      },
      () => true,
    )
    while (!hasTurned) await turn()
    attention.close()
  })
})

/** What a thread has done of a ring that is interrupted in the middle. */
const beginRing = (words: Int32Array): void => void Atomics.add(words, 0, 1)
const endRing = (words: Int32Array): void => {
  if (Atomics.exchange(words, 1, 0) === 1) Atomics.notify(words, 1)
}

describe('a park', () => {
  afterEach(() => vi.restoreAllMocks())
  /** Never used up by a test that passes. */
  const longMs = 20_000

  it('returns at once when the bell has rung since the sequence was read', () => {
    const bell = new Doorbell(newWords())
    const { sequence } = bell
    bell.ring()
    expect(bell.park(sequence, longMs)).toBe(true)
    expect(bell.isOwnerAsleep).toBe(false)
  })

  it('tells that its time ran out, and leaves nobody announced', () => {
    const bell = new Doorbell(newWords())
    expect(bell.park(bell.sequence, 1)).toBe(false)
    expect(bell.isOwnerAsleep).toBe(false)
  })

  it('is ended by a ring through another doorbell on the same words', () => {
    const words = newWords()
    const bell = new Doorbell(words)
    const wait = Atomics.wait
    vi.spyOn(Atomics, 'wait').mockImplementationOnce((...args: unknown[]) => {
      expect(bell.isOwnerAsleep).toBe(true)
      new Doorbell(words).ring()
      return Reflect.apply(wait, Atomics, args)
    })
    expect(bell.park(bell.sequence, longMs)).toBe(true)
  })

  it('does not begin once a slow ring has taken its announcement back: the next ring would notify nobody', () => {
    const words = newWords()
    const bell = new Doorbell(words)
    beginRing(words)
    const { sequence } = bell
    const wait = Atomics.wait
    vi.spyOn(Atomics, 'wait').mockImplementationOnce((...args: unknown[]) => {
      endRing(words)
      return Reflect.apply(wait, Atomics, args)
    })
    expect(bell.park(sequence, longMs)).toBe(true)
  })

  it.each([
    ['ran out of time', (bell: Doorbell, words: Int32Array) => void bell.park(Atomics.load(words, 0), 1)],
    [
      'was ended by a ring that is still to notify',
      (bell: Doorbell, words: Int32Array) => {
        const { sequence } = bell
        beginRing(words)
        bell.park(sequence, longMs)
        endRing(words)
      },
    ],
  ])('leaves the sleep in the event loop below it to be woken, when it %s', async (_, park) => {
    vi.spyOn(globalThis, 'setInterval').mockReturnValue(setTimeout(() => {}, 0))
    const words = newWords()
    const bell = new Doorbell(words)
    let looks = 0
    const attention = bell.attend(() => {
      looks += 1
      return false
    })
    expect(looks).toBe(1)
    park(bell, words)
    bell.ring()
    while (looks < 2) await turn()
    attention.close()
  })

  it('and the sleep below it are both ended by one ring', async () => {
    vi.spyOn(globalThis, 'setInterval').mockReturnValue(setTimeout(() => {}, 0))
    const bell = new Doorbell(newWords())
    let looks = 0
    const attention = bell.attend(() => {
      looks += 1
      return false
    })
    const wait = Atomics.wait
    vi.spyOn(Atomics, 'wait').mockImplementationOnce((...args: unknown[]) => {
      bell.ring()
      return Reflect.apply(wait, Atomics, args)
    })
    expect(bell.park(bell.sequence, longMs)).toBe(true)
    while (looks < 2) await turn()
    attention.close()
  })
})
