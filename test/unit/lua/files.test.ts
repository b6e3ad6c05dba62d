// Files as Lua programs know them: formats, positions, modes, what is answered and what is raised; and files that nobody closes.
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Access } from '../../../host/permissions/access.ts'
import { mostOpenFiles } from '../../../host/permissions/guest-files.ts'
import type { PluginHarness } from '../../support/plugin-harness.ts'
import { bootLua, evaluate } from './fixture.ts'

let folder: string
let harness: PluginHarness
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-lua-files-'))
  const plan = {
    isSandboxed: true,
    readable: [],
    writable: [realpathSync(folder)],
    paths: [folder],
    environment: new Map([['NAME', 'value']]),
    directory: folder,
  }
  harness = await bootLua({ server: { access: new Access(plan) } })
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = (statements: string): Promise<string> => evaluate(harness, statements)
const file = (name: string, content: string): void => writeFileSync(join(folder, name), content)

describe('reading', () => {
  it('knows the formats of Lua', async () => {
    file('formats', 'one\ntwo\n  12 0x1F -3.5e2+7 word\nrest\0of it')
    expect(
      await run(`local f = io.open('formats')
        return f:read(), f:read('L'), f:read('n', 'n', 'n')`),
    ).toBe('true | one | two\n | 12 | 31 | -350.0')
    expect(
      await run(
        "local f = io.open('formats') return f:read('*l'), f:read(3), f:read(0), #f:read('a'), f:read('a'), f:read(0), f:read()",
      ),
    ).toBe('true | one | two |  | 35 |  | nil | nil')
    expect(await run("local f = io.open('formats') f:read('l', 'l', 'n', 'n', 'n') return f:read('n', 'n')")).toBe(
      'true | 7 | nil',
    )
  })

  it('goes line by line, by a file and by a name', async () => {
    file('lines', `${'x'.repeat(70_000)}\nsecond\n\nlast`)
    expect(
      await run(
        "local sizes = {} for line in io.lines('lines') do sizes[#sizes + 1] = #line end return table.concat(sizes, ' ')",
      ),
    ).toBe('true | 70000 6 0 4')
    expect(
      await run(
        "local f = io.open('lines') f:read() local n = 0 for line in f:lines('L') do n = n + #line end return n, io.type(f)",
      ),
    ).toBe('true | 12 | file')
    expect(await run("for a in io.lines('none') do end")).toMatch(/^false \| .*none: no such file or directory$/)
  })
})

describe('writing', () => {
  it('appends, seeks and reads what it has written', async () => {
    expect(
      await run(`local f = assert(io.open('both', 'w+'))
        f:write('hello ', 42, ' ', 1.5)
        local at = f:seek()
        f:seek('set', 6) f:write('XX')
        f:seek('set') local all = f:read('a')
        f:seek('end', -3) local last = f:read('a')
        f:close()
        local g = assert(io.open('both', 'a')) g:write('!') g:close()
        return at, all, last, io.type(f), io.type(io), tostring(f)`),
    ).toBe('true | 12 | hello XX 1.5 | 1.5 | closed file | nil | file (closed)')
    expect(readFileSync(join(folder, 'both'), 'utf8')).toBe('hello XX 1.5!')
  })

  it('answers nil, a message and a number for what cannot be had, and raises for what is no use of it', async () => {
    expect(await run("return io.open('none')")).toBe('true | nil | none: no such file or directory | 2')
    expect(await run("return io.open('/etc/passwd')")).toBe(
      'true | nil | /etc/passwd: it is not among the files that guests may read (allow-read) | 13',
    )
    expect(await run("return io.open('\\xff')")).toMatch(/the path is no UTF-8/)
    expect(await run("return io.open('a\\0b')")).toMatch(/it is no path of a file/)
    expect(await run("return os.remove('none')")).toBe('true | nil | none: no such file or directory | 2')
    expect(await run("io.open('x', 'rw')")).toMatch(/bad argument #2 to 'open' \(invalid mode\)/)
    expect(await run("local f = io.open('both') f:close() f:read()")).toMatch(/attempt to use a closed file/)
    expect(await run("io.open('both').read('both')")).toMatch(/FILE\* expected, got string/)
    expect(await run("local f = io.open('both') return f:write('x')")).toMatch(
      /^true \| nil \| both: it was not opened for that \| 9$/,
    )
    expect(await run("io.open('both'):read('x')")).toMatch(/invalid format/)
    expect(await run("return getmetatable(io.open('both')), os.getenv('NAME'), os.getenv('PATH')")).toBe(
      'true | false | value | nil',
    )
  })

  it('finds the places of files that were dropped without being closed', async () => {
    file('dropped', 'x')
    const opened = await run(`local n = 0 for _ = 1, ${mostOpenFiles * 3} do assert(io.open('dropped')) n = n + 1 end return n`)
    expect(opened).toBe(`true | ${mostOpenFiles * 3}`)
    const kept = await run(`local kept = {} for n = 1, ${mostOpenFiles + 1} do
      local f, message = io.open('dropped') if not f then return n, message end kept[n] = f end`)
    expect(kept).toBe(`true | ${mostOpenFiles + 1} | dropped: more than ${mostOpenFiles} files are open`)
  })
})
