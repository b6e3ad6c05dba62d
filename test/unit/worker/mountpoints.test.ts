// Which app a request goes to: a table of the rules, each with the request variables as a front end sends them.
import { describe, expect, it } from 'vitest'
import type { App } from '../../../host/plugin/app.ts'
import { Mountpoints } from '../../../host/worker/mountpoints.ts'

const app = (mountpoint: string, modifier1: number, id = 0): App => ({
  id,
  mountpoint,
  source: `${mountpoint || 'root'}.${modifier1}`,
  modifier1,
  plugin: { name: `plugin ${modifier1}`, modifier1 },
  handle: {},
  startupMs: 0,
  requests: 0,
  exceptions: 0,
})
const find = (apps: App[], modifier1: number, scriptName: string, pathInfo: string, ofPlugins: number[] = []): string => {
  const route = new Mountpoints(apps, (number) => ofPlugins.includes(number)).find(modifier1, scriptName, pathInfo)
  return route === undefined ? 'none' : `${route.app.source} ${route.scriptName}|${route.pathInfo}`
}

describe('the app of a request', () => {
  const three = [app('/py', 0), app('/lua', 6), app('/js', 24)]

  it('is the one whose mountpoint begins the path, with the path split there', () => {
    expect(find(three, 0, '', '/lua/a/b')).toBe('/lua.6 /lua|/a/b')
    expect(find(three, 0, '', '/js')).toBe('/js.24 /js|')
    expect(find(three, 0, '', '/py/')).toBe('/py.0 /py|/')
  })

  it('is not one whose mountpoint ends inside a path segment', () => {
    expect(find(three, 0, '', '/luabc')).toBe('/py.0 |/luabc')
    expect(find([app('/lua', 6), app('/js', 24)], 0, '', '/luabc')).toBe('none')
  })

  it('is the one with the longest mountpoint, in whatever order they were mounted', () => {
    const nested = [app('', 0), app('/a', 6), app('/a/b', 24)]
    expect(find(nested, 0, '', '/a/b/c')).toBe('/a/b.24 /a/b|/c')
    expect(find(nested.reverse(), 0, '', '/a/bc')).toBe('/a.6 /a|/bc')
    expect(find(nested, 0, '', '/other')).toBe('root.0 |/other')
  })

  it('is the one mounted exactly at SCRIPT_NAME when the front end has split the path', () => {
    expect(find(three, 0, '/js', '/py/x')).toBe('/js.24 /js|/py/x')
  })

  it('keeps a SCRIPT_NAME that is no mountpoint as a prefix', () => {
    expect(find(three, 0, '/outer', '/js/x')).toBe('/js.24 /outer/js|/x')
  })

  it('with modifier1 0 and no mountpoint that matches is the only app there is, whatever its language', () => {
    expect(find([app('/lua', 6)], 0, '', '/x')).toBe('/lua.6 |/x')
  })

  it('with modifier1 0 and several apps is the first one of modifier1 0, as in uWSGI, or none', () => {
    expect(find(three, 0, '', '/x')).toBe('/py.0 |/x')
    expect(find([app('/lua', 6), app('/js', 24)], 0, '', '/x')).toBe('none')
  })

  it('with another modifier1 is one of that language only', () => {
    expect(find(three, 6, '', '/py/x')).toBe('/lua.6 |/py/x')
    expect(find(three, 24, '/js', '/x')).toBe('/js.24 /js|/x')
    expect(find(three, 9, '', '/py')).toBe('none')
  })

  it('is none for a number that a plugin has for itself, but for prefixes under 0', () => {
    const withRoot = [...three, app('', 0, 3)]
    expect(find(withRoot, 6, '', '/lua/a', [6])).toBe('none')
    expect(find(withRoot, 6, '/lua', '/a', [6])).toBe('none')
    expect(find(withRoot, 0, '', '/lua/a', [6])).toBe('/lua.6 /lua|/a')
    expect(find(withRoot, 0, '', '/lua/a', [0])).toBe('/lua.6 /lua|/a')
    expect(find(withRoot, 0, '', '/other', [0])).toBe('none')
    expect(find([app('', 6)], 0, '', '/other', [0])).toBe('none')
    expect(find([app('', 6)], 0, '', '/other', [6])).toBe('root.6 |/other')
  })
})
