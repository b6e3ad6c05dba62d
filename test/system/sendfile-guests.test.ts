// Files that guests give away: the same call in three languages, WSGI's file_wrapper, and what guests may not send.

import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileTree } from '../support/file-tree.ts'
import { Server } from '../support/server.ts'

const apps = fileURLToPath(new URL('../apps/offload', import.meta.url))

describe('a guest', () => {
  let server: Server
  let tree: FileTree
  beforeAll(async () => {
    tree = new FileTree()
    for (const name of ['app.py', 'app.lua', 'app.mjs']) cpSync(`${apps}/${name}`, tree.file(`apps/${name}`))
    tree.file('apps/data.css', 'hello body {}')
    tree.file('safe/shared.txt', 'shared')
    tree.file('secret/other.txt', 'secret')
    tree.link('apps/out.txt', '../secret/other.txt')
    const mounts = ['py', 'lua', 'mjs'].map((ending) => `--mount=/${ending}=${tree.root}/apps/app.${ending}`)
    server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--workers', '1', '--static-safe', `${tree.root}/safe`, ...mounts],
    })
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    tree[Symbol.dispose]()
  })
  const ask = async (path: string, file: string, headers: Record<string, string> = {}): Promise<Response> =>
    await fetch(`${server.http}${path}?${file}`, { headers })

  it.each([
    ['py', 'None', 'ValueError: uwsgi.sendfile(): '],
    ['lua', 'nil', 'uwsgi.sendfile(): '],
    ['mjs', 'undefined', 'API_REFUSED: uwsgi.sendfile(): '],
  ])('in %s sends a file of its own directory, and one of a safe one, but no other', async (language, notDefined, refusal) => {
    const own = await ask(`/${language}/`, `${tree.root}/apps/data.css`)
    expect([own.status, own.headers.get('x-own'), own.headers.get('content-length')]).toEqual([200, 'yes', '13'])
    expect(await own.text()).toBe('hello body {}')
    expect(own.headers.get('x-said')?.toLowerCase()).toBe('true')
    const range = await ask(`/${language}/`, `${tree.root}/apps/data.css`, { Range: 'bytes=6-9' })
    expect([range.status, range.headers.get('x-own'), await range.text()]).toEqual([206, 'yes', 'body'])
    expect(await (await ask(`/${language}/`, `${tree.root}/safe/shared.txt`)).text()).toBe('shared')
    for (const file of ['secret/other.txt', 'apps/out.txt', 'apps/../secret/other.txt', 'safe/../secret/other.txt']) {
      const answer = await ask(`/${language}/`, `${tree.root}/${file}`)
      expect(answer.headers.get('x-said')).toContain(`${refusal}the file "`)
      expect(answer.headers.get('x-said')).toContain('lies outside of the directories from which files may be sent')
      expect(await answer.text()).toMatch(/^dropped/)
    }
    const none = await ask(`/${language}/`, `${tree.root}/apps/none`)
    expect([none.headers.get('x-said'), (await none.text()).startsWith('dropped')]).toEqual([notDefined, true])
  })

  it('in Python gives a file to file_wrapper, which goes out without the worker', async () => {
    const lines = (): number => server.log.split('via offload()').length
    const before = lines()
    const whole = await ask('/py/wrapper', `${tree.root}/apps/data.css`)
    expect([whole.headers.get('x-own'), whole.headers.get('content-type')]).toEqual(['yes', null])
    expect(await whole.text()).toBe('hello body {}')
    // The app has said what it has to say: no status of ours.
    const range = await ask('/py/wrapper', `${tree.root}/apps/data.css`, { Range: 'bytes=0-1' })
    expect([range.status, await range.text()]).toEqual([200, 'hello body {}'])
    expect(await (await ask('/py/wrapper-rest', `${tree.root}/apps/data.css`)).text()).toBe('body {}')
    await server.logged('via offload()', before - 1 + 3)
  })

  it('in Python gives file_wrapper what is no file of the host, which is iterated over', async () => {
    expect(await (await ask('/py/wrapper-memory', '')).text()).toBe('in memory')
    expect(await (await ask('/py/wrapper-guest', '')).text()).toBe("the guest's own")
  })

  it('that fails after it gave a file away answers 500, without the file', async () => {
    const answer = await ask('/py/raises', `${tree.root}/apps/data.css`)
    expect([answer.status, await answer.text()]).toEqual([500, 'Internal Server Error'])
    await server.logged('RuntimeError: after all')
  })
})
