// The steps of a phase: their order, what the log says, and what a failure means.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HookError, HookExit } from '../../../host/hooks/action.ts'
import { renderHookOptionsDoc } from '../../../host/hooks/hook-options-doc.ts'
import { planHooks } from '../../../host/hooks/plan.ts'
import { afterRequestCalls } from '../../../host/hooks/plugin-function.ts'
import { runPhase } from '../../../host/hooks/run-phase.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { World } from './environment.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world[Symbol.dispose]())

const run = async (phase: 'asap' | 'as-user-atexit', lines: Record<string, readonly string[]>, consequence?: string) =>
  await runPhase(
    planHooks((option) => lines[option] ?? [], { alarms: [], hasPlugins: true }),
    phase,
    world.environment(),
    consequence,
  )

describe('a phase', () => {
  it('tells what it runs, but for private steps and calls', async () => {
    world.plugins = [{ name: 'p', functions: { f: () => {} }, hookActions: { own: (text) => void world.lines.push(text) } }]
    await run('asap', {
      'hook-asap': ['print:a', '!print:b', 'own:c'],
      'exec-asap': ['true'],
      'call-asap': ['f'],
      'hook-in-jail': ['print:never'],
    })
    expect(world.lines).toEqual([
      'running "print:a" (asap)...',
      'a',
      'running --- PRIVATE HOOK --- (asap)...',
      'b',
      'running "own:c" (asap)...',
      'c',
      'running "true" (asap)...',
    ])
  })

  it('ends with a failure that is fatal', async () => {
    const ended = run('asap', { 'hook-asap': ['exec:exit 4', 'print:never'] })
    await expect(ended).rejects.toThrow(HookError)
    await expect(ended).rejects.toThrow('hook-asap = exec:exit 4: command "exit 4" exited with non-zero code: 4')
    expect(world.lines.slice(1)).toEqual([
      'command "exit 4" exited with non-zero code: 4',
      'FATAL hook failed, destroying instance',
    ])
  })

  it('goes on after a failure that is not', async () => {
    await run('as-user-atexit', { 'hook-as-user-atexit': ['exec:exit 4', 'print:after'] })
    expect(world.lines.at(-1)).toBe('after')
    expect(world.lines.join()).not.toContain('FATAL')
  })

  it('hides why a private step has failed', async () => {
    await expect(run('asap', { 'hook-asap': ['!exec:exit 4 # secret'] }, 'xyz')).rejects.toThrow(
      'hook-asap = !exec:...: the private hook has failed',
    )
    expect(world.lines.join()).not.toContain('secret')
    expect(world.lines.at(-1)).toBe('FATAL hook failed, xyz')
  })

  it('takes what a plugin action returns or throws for its result', async () => {
    world.plugins = [
      { name: 'p', hookActions: { bad: () => 2, worse: () => Promise.reject(new Error('worst')), good: async () => 0 } },
    ]
    await run('asap', { 'hook-asap': ['good:'] })
    await expect(run('asap', { 'hook-asap': ['bad:'] })).rejects.toThrow('hook action bad returned 2')
    await expect(run('asap', { 'hook-asap': ['worse:'] })).rejects.toThrow('worst')
    await expect(run('asap', { 'hook-asap': ['none:'] })).rejects.toThrow('hook action not found: none')
  })

  it('ends by exit, also where nothing is fatal', async () => {
    await expect(run('as-user-atexit', { 'hook-as-user-atexit': ['exit:7', 'print:never'] })).rejects.toThrow(HookExit)
    expect(world.lines).toHaveLength(1)
  })

  it('begins no step when the server stops', async () => {
    world.stopping.abort()
    await expect(run('asap', { 'hook-asap': ['print:never'] })).rejects.toThrow('the server is stopping')
    expect(world.lines).toEqual([])
  })
})

describe('functions after each request', () => {
  const request = { modifier1: 0 } as WsgiRequest

  it('get the request, and do no harm', async () => {
    const got: unknown[] = []
    const plugin = {
      name: 'p',
      functions: {
        bad: () => {
          throw new Error('bad')
        },
        late: () => Promise.reject(new Error('late')),
        good: (...args: unknown[]) => void got.push(args),
      },
    }
    afterRequestCalls(['bad', 'late', 'p.good'], [plugin], (line) => world.lines.push(line.split('\n')[0] as string))?.(request)
    expect(got).toEqual([[undefined, request]])
    await expect
      .poll(() => world.lines)
      .toEqual(['plugin p: function bad raised: Error: bad', 'plugin p: function late raised: Error: late'])
  })

  it('must be there', () => {
    expect(() => afterRequestCalls(['f'], [], () => {})).toThrow('unable to find symbol/function "f"')
    expect(afterRequestCalls([], [], () => {})).toBeUndefined()
  })
})

it('docs/hooks.md is what `npm run gen` writes', () => {
  expect(readFileSync(new URL('../../../docs/hooks.md', import.meta.url), 'utf8')).toBe(renderHookOptionsDoc())
})
