// The programs that the README shows, run as it says.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost } from 'polywsgi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-readme-'))
  // A block's first line is a comment with the name of its file.
  for (const [, name, text] of readme.matchAll(/^```\w+\n(?:#|--|\/\/) (\w+\.\w+)\n(.*?)^```/gms))
    writeFileSync(join(folder, name as string), text as string)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the README', () => {
  it('shows an app in each language that says hello', async () => {
    await using host = await createHost({ cwd: folder, mounts: { '/py': 'app.py', '/lua': 'app.lua', '/js': 'app.js' } })
    const ask = async (path: string): Promise<string> => (await host.fetch(`http://localhost${path}`)).text()
    expect([await ask('/py'), await ask('/lua'), await ask('/js')]).toEqual([
      'hello from worker 1\n',
      'hello from worker 1\n',
      '/js: hello from worker 1\n',
    ])
  })

  it('shows Lua and Python that call each other and count together', async () => {
    await using host = await createHost({ cwd: folder, cache: 100, mounts: { '/lua': 'prices.lua', '/py': 'summary.py' } })
    expect(await (await host.fetch('http://localhost/lua')).text()).toBe('tea costs 4.50, asked 1 times')
    expect(await (await host.fetch('http://localhost/py')).text()).toBe('coffee costs 9.00, asked 2 times')
  })
})
