// What guests may have of the machine, in the real program: files, environment and the server itself, in every language, with
// --sandbox and without.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHost } from 'polywsgi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, FullServer, type Language, languages } from '../support/full-server.ts'
import { Server } from '../support/server.ts'

const apps = fileURLToPath(new URL('../apps/console', import.meta.url))
const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)

type Code = Readonly<Record<Language, string>>
const fs = "const fs = await import('uwsgi/fs');"

/** What is in a file, as hexadecimal digits. */
const read = (path: string): Code => ({
  python: `return open(${quoted(path)}, 'rb').read().hex()`,
  lua: `local f <close> = assert(io.open(${quoted(path)}, 'rb')) return (f:read('a'):gsub('.', function(c) return ('%02x'):format(c:byte()) end))`,
  js: `${fs} return [...fs.readFile(${quoted(path)})].map((byte) => byte.toString(16).padStart(2, '0')).join('')`,
})
const write = (path: string, mode: 'w' | 'a' = 'w'): Code => ({
  python: `return open(${quoted(path)}, '${mode}b').write(bytes(range(256)))`,
  lua: `local f <close> = assert(io.open(${quoted(path)}, '${mode}b')) for byte = 0, 255 do assert(f:write(string.char(byte))) end`,
  js: `${fs} fs.${mode === 'a' ? 'appendFile' : 'writeFile'}(${quoted(path)}, Uint8Array.from({ length: 256 }, (_, byte) => byte))`,
})
const remove = (path: string): Code => ({
  python: `import os; os.rmdir(${quoted(path)}) if os.path.isdir(${quoted(path)}) else os.remove(${quoted(path)})`,
  lua: `assert(os.remove(${quoted(path)}))`,
  js: `${fs} fs.remove(${quoted(path)})`,
})
const rename = (from: string, to: string): Code => ({
  python: `import os; os.rename(${quoted(from)}, ${quoted(to)})`,
  lua: `assert(os.rename(${quoted(from)}, ${quoted(to)}))`,
  js: `${fs} fs.rename(${quoted(from)}, ${quoted(to)})`,
})
const variable = (name: string): Code => ({
  python: `import os; return os.environ.get('${name}')`,
  lua: `return os.getenv('${name}')`,
  js: `return (await import('uwsgi/env')).default['${name}']`,
})

const quoted = (text: string): string => JSON.stringify(text)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('guests of a server with permissions', () => {
  let folder: string
  let server: FullServer
  const at = (path: string): string => join(folder, path)
  const run = (language: Language, code: Code): Promise<Answer> => server.run(language, code[language])
  const text = async (language: Language, code: Code): Promise<string> => (await run(language, code)).text

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'polywsgi-permissions-')))
    for (const directory of ['read/below', 'write', 'single', 'secret']) mkdirSync(at(directory), { recursive: true })
    for (const file of ['read/below/bytes', 'single/one', 'single/two', 'secret/key', 'write/old'])
      writeFileSync(at(file), everyByte)
    symlinkSync(at('secret/key'), at('read/absolute'))
    symlinkSync('../secret', at('read/relative'))
    symlinkSync('below/bytes', at('read/inner'))
    symlinkSync(at('secret'), at('write/out'))
    symlinkSync(at('secret/new'), at('write/dangling'))
    symlinkSync(at('read'), at('alias'))
    process.env['PERMITTED_ONE'] = 'ünï'
    process.env['PERMITTED_TWO'] = 'two'
    process.env['SECRET_ONE'] = 'hidden'
    server = await FullServer.start(
      ...['--sandbox', '--allow-read', `${at('read')},${at('single/one')}`, '--allow-read', at('alias')],
      ...['--allow-write', at('write'), '--allow-env', 'PERMITTED_*', '--set', 'mine=yes'],
    )
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
    for (const name of ['PERMITTED_ONE', 'PERMITTED_TWO', 'SECRET_ONE']) delete process.env[name]
  })

  it.each(languages)('read in %s what allow-read names, byte for byte, by every path to it', async (language) => {
    for (const path of ['read/below/bytes', 'read/inner', 'read/below/../below/./bytes', 'single/one', 'alias/below/bytes']) {
      expect([path, await text(language, read(at(path)))]).toEqual([path, expect.stringContaining(hex(everyByte))])
    }
    const app = { python: 'console.py', lua: 'console.lua', js: 'console.mjs' }[language]
    for (const path of [join(apps, app), app]) {
      expect(await text(language, read(path))).toContain(hex(readFileSync(join(apps, app))))
    }
  })

  it.each(languages)('read in %s nothing else, and are not told what there is', async (language) => {
    const missing = await text(language, read(at('secret/no-such-file')))
    const paths = ['secret/key', 'read/../secret/key', 'read/absolute', 'read/relative/key', 'single/two', 'write/out/key']
    for (const path of [...paths.map(at), '/etc/passwd', '/proc/self/environ', '/proc/self/mem', process.execPath, '/dev/zero']) {
      const { ok, text: said } = await run(language, read(path))
      expect([path, ok]).toEqual([path, false])
      expect(said).toMatch(
        language === 'python' ? /^(FileNotFoundError|NotADirectoryError)/ : /not among the files that guests may/,
      )
    }
    expect(missing).toMatch(
      language === 'python' ? /^FileNotFoundError/ : /not among the files that guests may read \(allow-read\)/,
    )
    // What may be read and is not there is told so.
    expect(await text(language, read(at('read/none')))).toMatch(/No such file|no such file/)
    expect(await text(language, read(at('read/below')))).toMatch(/IsADirectoryError|it is a directory/)
  })

  it.each(languages)('write in %s what allow-write names, byte for byte', async (language) => {
    const [file, moved] = [at(`write/${language}`), at(`write/${language}-moved`)]
    expect(await run(language, write(file))).toMatchObject({ ok: true })
    expect(await run(language, write(file, 'a'))).toMatchObject({ ok: true })
    expect(hex(readFileSync(file))).toBe(hex(everyByte) + hex(everyByte))
    expect(await run(language, write(file))).toMatchObject({ ok: true })
    expect(hex(readFileSync(file))).toBe(hex(everyByte))
    expect(await run(language, rename(file, moved))).toMatchObject({ ok: true })
    expect(readdirSync(at('write'))).toContain(`${language}-moved`)
    expect(await run(language, remove(moved))).toMatchObject({ ok: true })
    expect(readdirSync(at('write'))).not.toContain(`${language}-moved`)
    expect(await text(language, remove(moved))).toMatch(/No such file|no such file/)
  })

  it('use in Python what they know of files where they may write', async () => {
    const code = `
import mmap, os, pathlib, shutil, tempfile
root = pathlib.Path(${quoted(at('write/python'))})
(root / 'a' / 'b').mkdir(parents=True)
(root / 'a' / 'x').write_bytes(b'0123456789')
os.replace(root / 'a' / 'x', root / 'a' / 'b' / 'y')
os.rename(root / 'a' / 'b', root / 'c')
said = [(root / 'c' / 'y').read_bytes(), sorted(os.listdir(root)), sorted(os.listdir(root / 'a'))]
with open(root / 'c' / 'y', 'r+b') as file:
    file.seek(2)
    file.write(b'AB')
    file.seek(-2, 2)
    said.append(file.read())
    file.truncate(6)
    file.flush()
    view = mmap.mmap(file.fileno(), 6)
    view[0:1] = b'M'
    view.flush()
    view.close()
said += [(root / 'c' / 'y').read_text(), (root / 'c' / 'y').stat().st_size]
os.chmod(root / 'c' / 'y', 0o600)
os.utime(root / 'c' / 'y', (1000, 2000))
said += [oct(os.stat(root / 'c' / 'y').st_mode & 0o777), os.stat(root / 'c' / 'y').st_mtime]
with tempfile.NamedTemporaryFile(dir=root) as temporary:
    temporary.write(b'x' * 100000)
    temporary.flush()
    said.append(os.path.getsize(temporary.name))
shutil.copytree(root / 'c', root / 'd')
said.append(sorted(str(path.relative_to(root)) for path in root.rglob('*')))
shutil.rmtree(root)
return said, root.exists()`
    const { text: said } = await server.run('python', code)
    expect(said).toBe(
      "([b'0123456789', ['a', 'c'], [], b'89', 'M1AB45', 6, '0o600', 2000.0, 100000, ['a', 'c', 'c/y', 'd', 'd/y']], False)",
    )
    expect(readdirSync(at('write'))).not.toContain('python')
  })

  it.each(languages)('change in %s nothing else', async (language) => {
    const changes = [
      ...[
        'read/new',
        'read/below/bytes',
        'write/out/new',
        'write/dangling',
        'write/../secret/new',
        'single/one',
        'secret/new',
      ].map((path) => write(at(path))),
      write(join(apps, 'new')),
      ...['read/below/bytes', 'secret/key', 'write/out/key', 'write'].map((path) => remove(at(path))),
      rename(at('read/below/bytes'), at('write/stolen')),
      rename(at('write/old'), at('read/new')),
      rename(at('write/old'), at('write/out/old')),
      rename(at('secret/key'), at('write/key')),
    ]
    const before = JSON.stringify([readdirSync(folder, { recursive: true }).sort(), readdirSync(apps).sort()])
    for (const code of changes) expect([code[language], (await run(language, code)).ok]).toEqual([code[language], false])
    expect(JSON.stringify([readdirSync(folder, { recursive: true }).sort(), readdirSync(apps).sort()])).toBe(before)
    for (const file of ['read/below/bytes', 'secret/key', 'single/one', 'write/old']) {
      expect(hex(readFileSync(at(file)))).toBe(hex(everyByte))
    }
  })

  it.each(languages)('see in %s the variables that allow-env names, and no others', async (language) => {
    expect(await text(language, variable('PERMITTED_ONE'))).toMatch(/ünï|\\xfcn\\xef/)
    expect(await text(language, variable('PERMITTED_TWO'))).toContain('two')
    for (const name of ['SECRET_ONE', 'NODE_OPTIONS', '__proto__']) {
      expect(await text(language, variable(name))).toMatch(/^(None|nil|undefined)$/)
    }
  })

  it.each(languages)('act in %s on nothing of the whole server', async (language) => {
    const js = language === 'js'
    const semicolon = (code: string): string => (js ? code.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) : code)
    for (const call of [
      'reload()',
      'stop()',
      'set_spooler_frequency(5)',
      "add_file_monitor(9, '/etc/passwd')",
      'spooler_jobs()',
    ]) {
      const answer = await server.run(language, `return uwsgi.${semicolon(call)}`)
      expect([call, answer.ok, answer.text]).toEqual([call, false, expect.stringContaining('not allowed by the sandbox: ')])
      if (language === 'python') expect(answer.text).toMatch(/^ValueError: /)
      if (js) expect(answer.text).toMatch(/^UwsgiError API_REFUSED: /)
    }
    const job = { python: "uwsgi.spool({'a': 'b'})", lua: "uwsgi.spool({ a = 'b' })", js: "uwsgi.spool({ a: 'b' })" }[language]
    expect(await server.run(language, `return ${job}`)).toMatchObject({
      ok: false,
      text: expect.stringContaining(
        'not allowed by the sandbox: jobs are files: name the directory of the spooler in allow-write',
      ),
    })
    expect(readdirSync(join(server.folder, 'spool'))).toEqual([])
    expect(await server.run(language, `return uwsgi.${semicolon(`add_file_monitor(9, ${quoted(at('read'))})`)}`)).toMatchObject({
      ok: true,
    })
    expect((await server.run(language, "return uwsgi.connect('127.0.0.1:9')")).text).toContain('(allow-connect)')
  })

  it.each(languages)('see in %s no options of the server but the names that were defined for them', async (language) => {
    const all = { python: 'return uwsgi.opt', lua: 'return uwsgi.opt', js: 'return uwsgi.opt' }[language]
    const said = (await server.run(language, all)).text
    expect(said).toMatch(/mine/)
    expect(said).not.toMatch(/spooler|mount|allow|cache2/)
  })

  it.each(languages)('send in %s no file that they may not read', async (language) => {
    for (const path of ['secret/key', 'read/absolute', 'single/two']) {
      const answer = await server.run(language, `return uwsgi.sendfile(${quoted(at(path))})`)
      expect(answer).toMatchObject({ ok: false, text: expect.stringContaining('lies outside of the directories from which') })
    }
    const response = await fetch(`${server.server.http}/${language}`, {
      method: 'POST',
      body: `return uwsgi.sendfile(${quoted(at('read/below/bytes'))})`,
    })
    expect(hex(await response.bytes())).toBe(hex(everyByte))
  })
})

describe('permissions', () => {
  it('of a server without sandbox are those of an application server: it is acted upon, options are seen', async () => {
    await using server = await FullServer.start()
    expect((await server.run('lua', 'return uwsgi.opt.workers')).text).toBe('"1"')
    expect((await server.run('python', "return uwsgi.spool({'a': 'b'})")).ok).toBe(true)
    expect((await server.run('js', 'return uwsgi.setSpoolerFrequency(5)')).ok).toBe(true)
    for (const language of languages) {
      expect((await server.run(language, read('/etc/passwd')[language])).ok).toBe(false)
      expect((await server.run(language, variable('HOME')[language])).text).not.toContain(process.env['HOME'] ?? 'nobody')
    }
  })

  it('of a sandbox let no thread of the server make code out of text', async () => {
    const plugin = join(mkdtempSync(join(tmpdir(), 'polywsgi-code-')), 'code_plugin.mjs')
    writeFileSync(
      plugin,
      `export default { name: 'code', postFork({ log }) {
         let said
         try { said = new Function('return 1')() } catch (error) { said = error.name }
         log.text('code made of text: ' + said)
       } }`,
    )
    const ask = async (...more: string[]): Promise<string> => {
      await using server = await Server.start({ args: ['--plugin', plugin, '--http-socket', '127.0.0.1:0', ...more] })
      await server.logged('code made of text')
      return /code made of text: (\w+)/.exec(server.log)?.[1] ?? ''
    }
    expect([await ask('--sandbox'), await ask()]).toEqual(['EvalError', '1'])
    rmSync(dirname(plugin), { recursive: true })
  })

  it('of an embedding program are those of a sandbox, unless it turns that off', async () => {
    const ask = async (options: object, code: string): Promise<string> => {
      await using host = await createHost({ cwd: apps, mounts: { '/': 'console.lua' }, logto: '/dev/null', ...options })
      return await (await host.fetch('http://localhost/', { method: 'POST', body: code })).text()
    }
    expect(await ask({}, 'return uwsgi.stop()')).toContain('not allowed by the sandbox: it stops the whole server')
    expect(await ask({}, 'return uwsgi.opt.workers')).toBe('nil')
    expect(await ask({ sandbox: false, workers: 1 }, 'return uwsgi.opt.workers')).toBe('"1"')
    expect(await ask({ allowRead: ['../hooks/app.py'] }, "return io.open('../hooks/app.py'):read(1) ~= nil")).toBe('true')
  })

  it.each([
    ['--allow-read', '/', 'allow-read = /: guests do not get all files: name directories'],
    [
      '--allow-write',
      '/proc/self',
      'allow-write = /proc/self: guests get nothing of /proc: with it they could do what the server can',
    ],
    ['--allow-read', '/lib', 'allow-read = /lib: interpreters have files of their own there: name directories below it'],
    ['--allow-env', 'A=B', 'allow-env = A=B: write the name alone: the value is that of the server'],
    ['--allow-env', '*A', 'allow-env = *A: a * stands at the end only'],
  ])('are refused as %s %s', async (option, value, message) => {
    await using command = Server.spawn({ args: [option, value, '--http-socket', '127.0.0.1:0'] })
    expect(await command.exited()).toBe(2)
    expect(command.log).toContain(message)
  })
})
