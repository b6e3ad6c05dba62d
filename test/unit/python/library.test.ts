// What differs from a Python on an ordinary system: streams to the log, threads, sleeping, key derivation, exit functions.
import { pbkdf2Sync, scryptSync } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import plugin from '../../../bindings/python/index.ts'
import { PythonServer, probe } from './python-harness.ts'

let server: PythonServer

beforeAll(async () => {
  server = await PythonServer.boot('probe.py')
})

test('standard output and error go to the log line by line, in order', async () => {
  const output = await PythonServer.boot('output.py')
  await output.ask('application')
  expect(output.takeLog()).toEqual(['out of two prints', 'err', 'raw \ufffd\ufffd bytes', 'begun and ended', 'by descriptor'])
})

test('standard input is at its end', async () => {
  expect(await probe(server, 'import sys, os; result = sys.stdin.read(), os.read(0, 10)')).toBe("('', b'')")
})

test('the library is compiled, and imports without its sources', async () => {
  const code = 'import json, decimal; result = json.__file__, decimal.Decimal("1.10") + 1'
  expect(await probe(server, code)).toBe("('/lib/python314.zip/json/__init__.pyc', Decimal('2.10'))")
})

test('much of the library imports', async () => {
  const names =
    'asyncio base64 collections concurrent.futures contextvars csv datetime email.message enum gzip hashlib hmac html http.cookies ' +
    'importlib.resources inspect io ipaddress json logging logging.handlers math multiprocessing pickle queue random re secrets select ' +
    'shutil smtplib socket sqlite3 ssl statistics string struct subprocess tempfile threading traceback typing unittest urllib.request ' +
    'uuid wsgiref.simple_server xml.etree.ElementTree zipfile zlib zoneinfo'
  const code = `import importlib\nfor name in ${JSON.stringify(names)}.split(): importlib.import_module(name)\nresult = 'all'`
  expect(await probe(server, code)).toBe('all')
})

test('sqlite works in memory', async () => {
  const code = 'import sqlite3; db = sqlite3.connect(":memory:"); result = db.execute("select 6 * 7").fetchone()'
  expect(await probe(server, code)).toBe('(42,)')
})

describe('threads', () => {
  test.each([
    'import threading; threading.Thread(target=print).start()',
    'import _thread; _thread.start_new_thread(print, ())',
    'from concurrent.futures import ThreadPoolExecutor; ThreadPoolExecutor().submit(print)',
  ])('says what to do instead: %s', async (code) => {
    expect(await probe(server, code)).toBe(
      "RuntimeError: can't start new thread: hand the work to a mule (uwsgi.mule_msg) or to the spooler (uwsgi.spool) instead",
    )
  })
})

describe('time.sleep', () => {
  test('waits at least as long as it was told, without using the processor', async () => {
    const code = `
import time
start = time.monotonic()
time.sleep(0.3)
result = time.monotonic() - start >= 0.3`
    const before = process.threadCpuUsage()
    expect(await probe(server, code)).toBe('True')
    const { user, system } = process.threadCpuUsage(before)
    expect(user + system).toBeLessThan(200_000)
  })
  test.each([
    ['-1', 'ValueError: sleep length must be non-negative'],
    ['float("nan")', 'ValueError: sleep length must be non-negative'],
    ['1e300', 'OverflowError: sleep length is too large'],
    ['"1"', 'TypeError: must be real number, not str'],
  ])('refuses %s', async (argument, complaint) => {
    expect(await probe(server, `import time; time.sleep(${argument})`)).toBe(complaint)
  })
  test('takes nothing for no time at all', async () => {
    expect(await probe(server, 'import time; result = time.sleep(0), time.sleep(False)')).toBe('(None, None)')
  })
})

describe('hashlib', () => {
  test('derives keys by PBKDF2 as other systems do', async () => {
    const code = "import hashlib; result = hashlib.pbkdf2_hmac('sha256', b'pass\\0word', b's\\xff', 1000).hex()"
    const expected = pbkdf2Sync(Buffer.from('pass\0word'), Buffer.from([0x73, 0xff]), 1000, 32, 'sha256').toString('hex')
    expect(await probe(server, code)).toBe(expected)
  })
  test.each(['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3_256', 'SHA512'])(
    'knows %s for PBKDF2, its size being the default length',
    async (name) => {
      const digest = name.toLowerCase().replace('_', '-')
      const plain = `import hashlib; result = len(hashlib.pbkdf2_hmac('${name}', b'p', b's', 2)), hashlib.pbkdf2_hmac('${name}', b'p', b's', 2, 7).hex()`
      const expected = pbkdf2Sync('p', 's', 2, 7, digest).toString('hex')
      expect(await probe(server, plain)).toMatch(new RegExp(`^\\(\\d+, '${expected}'\\)$`))
    },
  )
  test('derives keys by scrypt as other systems do', async () => {
    const code = "import hashlib; result = hashlib.scrypt(b'secret', salt=b'salt', n=1024, r=8, p=2, dklen=40).hex()"
    expect(await probe(server, code)).toBe(scryptSync('secret', 'salt', 40, { N: 1024, r: 8, p: 2 }).toString('hex'))
  })
  test.each([
    ["pbkdf2_hmac('crc32', b'', b'', 1)", 'ValueError: unsupported hash type crc32'],
    ["pbkdf2_hmac('constructor', b'', b'', 1)", 'ValueError: unsupported hash type constructor'],
    ["pbkdf2_hmac(b'md5', b'', b'', 1)", "TypeError: expected 'str' for name, but got <class 'bytes'>"],
    ["pbkdf2_hmac('md5', 'text', b'', 1)", "TypeError: memoryview: a bytes-like object is required, not 'str'"],
    ["pbkdf2_hmac('md5', b'', b'', 0)", 'ValueError: iterations must be greater than 0'],
    ["pbkdf2_hmac('md5', b'', b'', 10**12)", 'ValueError: iterations is too large'],
    ["pbkdf2_hmac('md5', b'', b'', 1, 10**9)", 'ValueError: dklen is too large'],
    ["pbkdf2_hmac('md5', b'', b'', 'x')", 'TypeError: iterations must be an integer'],
    ["scrypt(b'', salt=b'', n=3, r=1, p=1)", 'ValueError: n must be a power of 2'],
    ["scrypt(b'', salt=b'', n=2**20, r=8, p=1)", 'ValueError: memory limit exceeded'],
    ["scrypt(b'', salt=b'', n=2**20, r=64, p=64)", 'ValueError: n * r * p is too large'],
  ])('refuses %s', async (call, complaint) => {
    expect(await probe(server, `import hashlib; hashlib.${call}`)).toBe(complaint)
  })
  test('allows scrypt the memory that the caller grants', async () => {
    const code = "import hashlib; result = len(hashlib.scrypt(b'p', salt=b's', n=2**16, r=8, p=1, maxmem=2**27))"
    expect(await probe(server, code)).toBe('64')
  })
})

test('exit functions run at the end, and what was printed last is logged', async () => {
  const ending = await PythonServer.boot('probe.py')
  await probe(
    ending,
    "import atexit; atexit.register(lambda: print('at the end', end=''))\ndef fail(): raise ValueError('late')\natexit.register(fail)",
  )
  ending.takeLog()
  plugin.atexit?.()
  const log = ending.takeLog()
  expect(log).toContain('ValueError: late')
  expect(log.at(-1)).toBe('at the end')
})
