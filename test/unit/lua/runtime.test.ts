// The interpreter's memory as the host sees it: how much it takes at first, that it never takes more than it may.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileLua } from '../../../bindings/lua/glue.ts'
import { LuaWorker } from '../../../bindings/lua/worker.ts'
import { bootLua, writeFiles } from './fixture.ts'

const megabyte = 1024 * 1024
const page = 64 * 1024

const bootWorker = async (memoryLimit: number): Promise<LuaWorker> => {
  const { context, plugin } = await bootLua()
  return new LuaWorker(await compileLua(), { ...context, memoryLimit, data: context.data as never }, plugin)
}

/** Runs a chunk in the worker as apps are loaded; answers what it raised. */
const run = (worker: LuaWorker, source: string): string => {
  const file = join(writeFiles({ 'app.lua': source }), 'app.lua')
  try {
    worker.load({ mountpoint: '', source: file, callable: undefined })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

const size = (worker: LuaWorker): number => worker.runtime.lua.memory.buffer.byteLength

describe('the memory of an interpreter', () => {
  it('is a few megabytes at first, not the sixteen that the module declares', async () => {
    expect(size(await bootWorker(256 * megabyte))).toBeLessThan(3 * megabyte)
  })

  it.each([3 * megabyte, 5 * megabyte + 1, 20 * megabyte + page - 1])(
    'never grows beyond a limit of %i bytes, rounded down to pages',
    async (limit) => {
      const worker = await bootWorker(limit)
      const bombs = [
        `local t = {} for i = 1, math.huge do t[i] = i end`,
        `local t = {} for i = 1, math.huge do t[i] = ('y'):rep(10) .. i end`,
        `local s = ('x'):rep(1 << 20) while true do s = s .. s end`,
        `local t = {} for i = 1, math.huge do t[i] = coroutine.create(print) end`,
      ]
      for (const bomb of bombs) {
        expect(run(worker, bomb)).toContain('not enough memory')
        expect(size(worker)).toBeLessThanOrEqual(limit)
      }
      expect(size(worker)).toBeGreaterThan(limit - megabyte)
      expect(run(worker, `local t = {} for i = 1, 1000 do t[i] = tostring(i) end return function() end`)).toBe('')
    },
  )

  it('grows in steps: to take 64 MB asks for more a few dozen times at most', async () => {
    const worker = await bootWorker(256 * megabyte)
    let growths = 0
    const growTo = worker.runtime.growTo.bind(worker.runtime)
    worker.runtime.growTo = (wanted) => {
      growths += 1
      return growTo(wanted)
    }
    expect(run(worker, `local t = {} for i = 1, 64 do t[i] = ('x'):rep(1 << 20) .. i end return function() end`)).toBe('')
    expect(size(worker)).toBeGreaterThan(64 * megabyte)
    expect(growths).toBeLessThan(40)
  })
})
