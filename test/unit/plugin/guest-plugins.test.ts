// Plugins written as a Lua or a Python file: the same tests for both languages.
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GuestPlugins, guestLanguages } from '../../support/guest-plugins.ts'

const example = (name: string): string => fileURLToPath(new URL(`../../apps/plugins/${name}`, import.meta.url))

describe.each(guestLanguages)('a plugin written in %s', (language) => {
  let guests: GuestPlugins
  beforeAll(async () => {
    guests = await GuestPlugins.boot(language)
  })
  afterAll(() => guests[Symbol.dispose]())

  const hello = language === 'lua' ? 'hello.lua' : 'hello.py'

  it('serves requests, with what init has left', async () => {
    const plugin = await guests.load(example(hello), { [`hello-${language}-greeting`]: 'good day' })
    expect(plugin.description).toMatchObject({ name: `hello-${language}`, hooks: ['init', 'mount_app', 'request'] })
    const first = await guests.ask(plugin, { path: '/bob', body: 'one\ntwo' })
    expect(first).toMatchObject({ status: '200 OK', text: 'good day, bob\n> one\n> two' })
    expect(first.headers).toEqual([
      ['Content-Type', 'text/plain'],
      ['X-Served', '1'],
    ])
    const second = await guests.ask(plugin, {}, `/srv/ann.${language === 'lua' ? 'greet' : 'hail'}`)
    expect(second.text).toBe('good day, ann\n')
    expect(second.headers).toContainEqual(['X-Served', '2'])
  })
})
