// The callers of hooks: in which order they ask, what a failure costs, and what ends a hook that does not end by itself.
import { describe, expect, it } from 'vitest'
import { GuestError } from '../../../host/errors.ts'
import { boundedCall, boundedSync, OverrunError } from '../../../host/plugin/bounded-call.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'
import { hookFailure, PluginHooks } from '../../../host/plugin/plugin-hooks.ts'
import { PluginRegistry, type PluginStanding } from '../../../host/plugin/registry.ts'

const hooksOf = (plugins: readonly Plugin[], standing: Partial<PluginStanding> = {}, limitMs = 10_000) => {
  const lines: string[] = []
  const registry = new PluginRegistry()
  for (const plugin of plugins) registry.add(plugin, { isBuiltIn: false, isRequired: false, ...standing })
  const log = { text: (line: string) => void lines.push(line), bytes: () => {} }
  return { hooks: new PluginHooks({ registry, log, limitMs }), registry, lines }
}

const endless = (): never => {
  for (;;);
}

describe('a hook of the start', () => {
  const order: string[] = []
  const plugin = (name: string, modifier1?: number): Plugin => ({
    name,
    ...(modifier1 === undefined ? {} : { modifier1 }),
    init: () => void order.push(name),
    postFork: () => void order.push(name),
    onLoad: () => void order.push(name),
  })
  const plugins = [plugin('general a'), plugin('request 9', 9), plugin('general b'), plugin('request 2', 2)]

  it.each([
    ['onLoad', ['general a', 'request 9', 'general b', 'request 2']],
    ['init', ['general a', 'general b', 'request 2', 'request 9']],
    ['postFork', ['request 2', 'request 9', 'general a', 'general b']],
  ] as const)('%s is called in the order of the table', async (hook, expected) => {
    order.length = 0
    await hooksOf(plugins).hooks.start(hook, (each) => (each[hook] as () => void)())
    expect(order).toEqual(expected)
  })

  it.each([
    ['throws', () => endThrowing('on purpose'), /plugin bad: init hook raised: Error: on purpose/],
    ['rejects', async () => endThrowing('later'), /plugin bad: init hook raised: Error: later/],
    ['loops', endless, /plugin bad: init hook has not returned within 0\.2 seconds/],
    ['never settles', () => new Promise<void>(() => {}), /plugin bad: init hook has not returned within 0\.2 seconds/],
    ['throws nothing', () => Promise.reject(undefined), /plugin bad: init hook raised: undefined/],
  ])('that %s costs its plugin, and the others go on', async (_, init, message) => {
    let called = 0
    const count = (): void => {
      called += 1
    }
    const good: Plugin = { name: 'good', init: count }
    const { hooks, registry, lines } = hooksOf([{ name: 'bad', modifier1: 7, init }, good], {}, 200)
    await hooks.start('init', (each) => each.init?.({} as never))
    expect(called).toBe(1)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(message)
    expect(lines[0]).toContain('the server goes on without plugin bad')
    expect(registry.plugins.map(({ name }) => name)).toEqual(['good'])
    expect(registry.requestPlugin(7)).toBeUndefined()
  })

  it('that throws in a plugin the server cannot be without ends the start', async () => {
    const { hooks } = hooksOf([{ name: 'bad', init: () => endThrowing('on purpose') }], { isRequired: true })
    await expect(hooks.start('init', (each) => each.init?.({} as never))).rejects.toMatchObject({
      code: 'PLUGIN_HOOK',
      message: expect.stringMatching(/^plugin bad: init hook raised: Error: on purpose/),
    })
  })

  it('may take what it needs in a plugin of ours', async () => {
    const slow: Plugin = { name: 'slow', init: () => new Promise((resolve) => setTimeout(resolve, 100)) }
    const { hooks, registry } = hooksOf([slow], { isBuiltIn: true, isRequired: true }, 10)
    await hooks.start('init', (each) => each.init?.({} as never))
    expect(registry.plugins).toEqual([slow])
  })
})

describe('a hook of a running server', () => {
  it('is told when it fails, and is called again', () => {
    let calls = 0
    const bad: Plugin = {
      name: 'bad',
      masterCycle: () => {
        calls += 1
        throw new Error('each time')
      },
    }
    const { hooks, lines } = hooksOf([bad])
    hooks.run('masterCycle', (each) => each.masterCycle?.())
    hooks.run('masterCycle', (each) => each.masterCycle?.())
    expect(calls).toBe(2)
    expect(lines.filter((line) => line.startsWith('plugin bad: masterCycle hook raised: Error: each time'))).toHaveLength(2)
  })

  it('is ended when it loops', () => {
    const { hooks, lines } = hooksOf([{ name: 'bad', harakiri: endless }], {}, 100)
    hooks.run('harakiri', (each) => each.harakiri?.(1))
    expect(lines).toEqual(['plugin bad: harakiri hook has not returned within 0.1 seconds'])
  })

  it('ends the asking when its answer is enough, however it fared with those before', () => {
    const asked: string[] = []
    const udp = (name: string, answer: boolean | Error): Plugin => ({
      name,
      manageUdp: () => {
        asked.push(name)
        if (answer instanceof Error) throw answer
        return answer
      },
    })
    const { hooks } = hooksOf([udp('no', false), udp('raises', new Error('x')), udp('yes', true), udp('after', true)])
    const offer = (plugin: Plugin): boolean | undefined => plugin.manageUdp?.('', 0, new Uint8Array(0))
    expect(hooks.run('manageUdp', offer, (answer) => answer === true)).toBe(true)
    expect(asked).toEqual(['no', 'raises', 'yes'])
    expect(hooksOf([udp('no', false)]).hooks.run('manageUdp', offer, (answer) => answer === true)).toBe(false)
  })
})

describe('what a hook threw', () => {
  it('is told with the guest`s traceback where there is one', () => {
    const guest = new GuestError('lua', 'boom', 'hello.lua:3: boom')
    expect(hookFailure({ name: 'x' }, 'request', guest)).toBe('plugin x: request hook raised: hello.lua:3: boom')
    const knows: Plugin = { name: 'x', exceptionLog: () => guest }
    expect(hookFailure(knows, 'request', new Error('wrapped'))).toBe('plugin x: request hook raised: hello.lua:3: boom')
    const breaks: Plugin = { name: 'x', exceptionLog: () => endThrowing('again') }
    expect(hookFailure(breaks, 'request', new TypeError('first'))).toMatch(/request hook raised: TypeError: first/)
  })
})

describe('a bounded call', () => {
  it('gives what the function gives', async () => {
    expect(boundedSync(() => 5, 1000)).toBe(5)
    expect(await boundedCall(async () => 'x', 1000)).toBe('x')
    expect(() => boundedSync(() => endThrowing('mine'), 1000)).toThrow('mine')
  })

  it('may be inside of another', () => {
    expect(boundedSync(() => boundedSync(() => 1, 1000) + boundedSync(() => 2, 1000), 1000)).toBe(3)
    expect(() => boundedSync(() => boundedSync(endless, 50), 10_000)).toThrow(OverrunError)
  })

  it('ends what catches everything', () => {
    const stubborn = (): void => {
      for (;;) {
        try {
          endless()
        } catch {}
      }
    }
    expect(() => boundedSync(stubborn, 50)).toThrow(OverrunError)
  })
})

function endThrowing(message: string): never {
  throw new Error(message)
}
