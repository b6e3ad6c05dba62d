// Reloads one after the other, whoever asks for them.
import { describe, expect, it } from 'vitest'
import type { ReloadKind } from '../../host/control/reload-kinds.ts'
import { Reloads } from '../../host/reloads.ts'

const world = () => {
  const begun: string[] = []
  const ends: PromiseWithResolvers<void>[] = []
  const started = Promise.withResolvers<void>()
  const reloads = new Reloads(
    () => started.promise,
    (kind: ReloadKind) => {
      begun.push(kind)
      const end = Promise.withResolvers<void>()
      ends.push(end)
      return end.promise
    },
  )
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return { begun, ends, started, reloads, turn }
}

describe('reloads', () => {
  it('wait for the start of the server, also for one that fails', async () => {
    const { begun, ends, started, reloads, turn } = world()
    const asked = reloads.ask('graceful')
    await turn()
    expect([begun, reloads.isRunning]).toEqual([[], false])
    started.reject(new Error('no start'))
    await turn()
    expect([begun, reloads.isRunning]).toEqual([['graceful'], true])
    ends[0]?.resolve()
    await asked
    expect(reloads.isRunning).toBe(false)
  })

  it('that are asked for while one runs follow it, each kind once', async () => {
    const { begun, ends, started, reloads, turn } = world()
    started.resolve()
    const first = reloads.ask('graceful')
    await turn()
    const next = [reloads.ask('graceful'), reloads.ask('graceful'), reloads.ask('mules'), reloads.ask('mules')]
    await turn()
    expect(begun).toEqual(['graceful'])
    ends[0]?.resolve()
    await first
    await turn()
    ends[1]?.resolve()
    await turn()
    expect(begun).toEqual(['graceful', 'graceful', 'mules'])
    ends[2]?.resolve()
    await Promise.all(next)
    expect(begun).toHaveLength(3)
  })

  it('go on after one that fails, whose askers learn of it', async () => {
    const { begun, ends, started, reloads, turn } = world()
    started.resolve()
    const first = reloads.ask('chain')
    await turn()
    const second = reloads.ask('chain')
    ends[0]?.reject(new Error('the app is broken'))
    await expect(first).rejects.toThrow('the app is broken')
    await turn()
    expect(begun).toEqual(['chain', 'chain'])
    ends[1]?.resolve()
    await second
  })
})
