// What a plugin may claim, and which members it may not have.
import { describe, expect, it } from 'vitest'
import { hookNames, hookTable, impossibleHooks, refusalOf } from '../../../host/plugin/hook-table.ts'
import { PluginRegistry } from '../../../host/plugin/registry.ts'

describe('the registry', () => {
  it('refuses a name, an alias or a modifier1 that another plugin has, and keeps nothing of the refused one', () => {
    const registry = new PluginRegistry([{ name: 'a', alias: 'b', modifier1: 1 }])
    expect(() => registry.add({ name: 'a' })).toThrow("two plugins are named 'a'")
    expect(() => registry.add({ name: 'c', alias: 'b', modifier1: 3 })).toThrow("two plugins are named 'b'")
    expect(() => registry.add({ name: 'd', modifier1: 1 })).toThrow("plugins 'a' and 'd' both claim modifier1 1")
    expect(registry.plugins).toHaveLength(1)
    expect(registry.named('c')).toBeUndefined()
    expect(registry.named('d')).toBeUndefined()
    expect(registry.requestPlugin(3)).toBeUndefined()
    registry.add({ name: 'd', modifier1: 3 })
    expect(registry.requestPlugin(3)?.name).toBe('d')
    expect(registry.named('b')?.name).toBe('a')
  })

  it('lets the operator give the number of one of ours to another, and nobody else', () => {
    const ours = { name: 'ours', modifier1: 0 }
    const registry = new PluginRegistry()
    registry.add(ours, { isBuiltIn: true, isRequired: true })
    expect(() => registry.add({ name: 'claims it', modifier1: 0 })).toThrow(
      "plugins 'ours' and 'claims it' both claim modifier1 0",
    )
    const given = { name: 'given', modifier1: 200, init() {} }
    registry.add(given, { isRequired: false, modifier1: 0 })
    expect(registry.requestPlugin(0)).toBe(given)
    expect(registry.requestPlugin(200)).toBeUndefined()
    expect(registry.named('ours')).toBe(ours)
    expect(() => registry.add({ name: 'too', modifier1: 9 }, { isRequired: false, modifier1: 0 })).toThrow(
      'both claim modifier1 0',
    )
  })

  it('gives what a dropped plugin claimed to the next one', () => {
    const first = { name: 'a', modifier1: 1 }
    const registry = new PluginRegistry([first])
    registry.drop(first)
    registry.add({ name: 'a', modifier1: 1 })
    expect(registry.plugins).toHaveLength(1)
    expect(registry.requestPlugin(1)).not.toBe(first)
  })
})

describe('the hook table', () => {
  it('names each member of uWSGI`s structure once', () => {
    const names = [...Object.values(hookTable), ...Object.values(impossibleHooks)].flatMap(({ uwsgi }) => uwsgi ?? [])
    expect(new Set(names).size).toBe(names.length)
    // The functions of `struct uwsgi_plugin`, uWSGI 2.0.21.
    const structure = `on_load init post_init post_fork enable_threads init_thread request after_request preinit_apps init_apps
      postinit_apps fixup master_fixup master_cycle mount_app manage_udp suspend resume harakiri hijack_worker spooler_init atexit
      magic encode_string decode_string signal_handler code_string spooler rpc jail post_jail early_post_jail
      before_privileges_drop mule mule_msg master_cleanup backtrace exception_class exception_msg exception_repr exception_log
      vassal vassal_before_exec worker pre_uwsgi_fork post_uwsgi_fork`
    expect(names.sort()).toEqual(structure.split(/\s+/).sort())
  })

  it('refuses what threads make impossible, with the reason, and hooks that are no functions', () => {
    for (const name of Object.keys(impossibleHooks)) {
      expect(refusalOf({ [name]: () => {} })).toMatch(new RegExp(`^its hook ${name} cannot be: `))
    }
    for (const name of hookNames) expect(refusalOf({ [name]: 5 })).toBe(`its hook ${name} is a number, not a function`)
    expect(refusalOf({ init: null })).toBe('its hook init is null, not a function')
    expect(refusalOf({ init: [] })).toBe('its hook init is an array, not a function')
    expect(refusalOf({ name: 'x', init() {}, helper: 5 })).toBeUndefined()
  })
})
