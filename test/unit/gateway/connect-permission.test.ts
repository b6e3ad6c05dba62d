// Where guests may connect: what the operator writes, and what guests ask for.
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anywhere, ConnectPermission } from '../../../host/gateway/connect-permission.ts'

const permit = (...addresses: string[]): ConnectPermission => new ConnectPermission(addresses, '/srv/app')
const refusal = 'is not among the addresses that guests may connect to (allow-connect)'

/** What the addresses do with each of those asked for: where a socket would connect to, or `refused`. */
const judge = (allowed: readonly string[], asked: readonly string[]): Record<string, unknown> => {
  const permission = permit(...allowed)
  return Object.fromEntries(
    asked.map((address) => {
      try {
        return [address, permission.target(address)]
      } catch (error) {
        expect((error as { code: string }).code).toBe('API_REFUSED')
        expect((error as Error).message).toContain(refusal)
        return [address, 'refused']
      }
    }),
  )
}

describe('where guests may connect', () => {
  it('is nowhere without an address, and with none', () => {
    for (const allowed of [[], ['none']]) {
      const asked = ['127.0.0.1:80', 'localhost:80', ':80', '/run/x.sock', '@x', 'x.sock']
      expect(Object.values(judge(allowed, asked))).toEqual(asked.map(() => 'refused'))
    }
  })

  it('is anywhere with *, which changes nothing of what is connected to', () => {
    const asked = { '10.0.0.1:80': { host: '10.0.0.1', port: 80 }, '/a/../b': { path: '/a/../b' }, '@x': { path: '\0x' } }
    expect(judge(['*'], Object.keys(asked))).toEqual(asked)
    expect(judge(['10.9.9.9', '*'], Object.keys(asked))).toEqual(asked)
    expect(anywhere.target(':3031')).toEqual({ host: '127.0.0.1', port: 3031 })
  })

  it('is a host at one port', () => {
    const host = 'db.example.com'
    expect(
      judge(
        ['db.example.com:5432', '10.0.0.1:80'],
        ['db.example.com:5432', 'db.example.com:5433', 'example.com:5432', 'x.db.example.com:5432', '10.0.0.1:80', '10.0.0.1:8'],
      ),
    ).toEqual({
      'db.example.com:5432': { host, port: 5432 },
      'db.example.com:5433': 'refused',
      'example.com:5432': 'refused',
      'x.db.example.com:5432': 'refused',
      '10.0.0.1:80': { host: '10.0.0.1', port: 80 },
      '10.0.0.1:8': 'refused',
    })
  })

  it('is a host at any port', () => {
    expect(
      judge(['10.0.0.1', '[::1]'], ['10.0.0.1:1', '10.0.0.1:65535', '10.0.0.10:1', '[::1]:9', '[::2]:9', './10.0.0.1']),
    ).toEqual({
      '10.0.0.1:1': { host: '10.0.0.1', port: 1 },
      '10.0.0.1:65535': { host: '10.0.0.1', port: 65535 },
      '10.0.0.10:1': 'refused',
      '[::1]:9': { host: '::1', port: 9 },
      '[::2]:9': 'refused',
      './10.0.0.1': 'refused',
    })
  })

  it('is a port of any host', () => {
    expect(judge(['*:443'], ['a.example:443', '[2001:db8::1]:443', '10.0.0.1:443', 'a.example:444', '/run/443'])).toEqual({
      'a.example:443': { host: 'a.example', port: 443 },
      '[2001:db8::1]:443': { host: '2001:db8::1', port: 443 },
      '10.0.0.1:443': { host: '10.0.0.1', port: 443 },
      'a.example:444': 'refused',
      '/run/443': 'refused',
    })
  })

  it('compares names without case, and without the dot at the end', () => {
    const target = { host: 'db.example.com', port: 1 }
    for (const allowed of ['DB.example.COM:1', 'db.example.com.:1', 'db.example.com.']) {
      const asked = ['db.example.com:1', 'Db.Example.Com:1', 'db.example.com.:1']
      expect(judge([allowed], asked)).toEqual(Object.fromEntries(asked.map((address) => [address, target])))
    }
    expect(judge(['db.example.com'], ['db.example.com..:1', '.:1'])).toEqual({
      'db.example.com..:1': 'refused',
      '.:1': 'refused',
    })
  })

  it('does not take a name for the address that it leads to', () => {
    expect(judge(['127.0.0.1'], ['localhost:1', '127.1:1', '2130706433:1', '0x7f.1:1', '0177.0.0.1:1', '[::1]:1'])).toEqual({
      'localhost:1': 'refused',
      '127.1:1': 'refused',
      '2130706433:1': 'refused',
      '0x7f.1:1': 'refused',
      '0177.0.0.1:1': 'refused',
      '[::1]:1': 'refused',
    })
  })

  it('knows an IPv6 address in all its forms', () => {
    const asked = [
      '[2001:db8::1]:1',
      '[2001:DB8::1]:1',
      '[2001:0db8:0:0:0:0:0:1]:1',
      '[2001:db8::0:1]:1',
      '[2001:db8::0.0.0.1]:1',
    ]
    for (const allowed of asked) {
      expect(Object.values(judge([allowed], asked))).toEqual(asked.map(() => ({ host: '2001:db8::1', port: 1 })))
    }
    expect(judge(['[fe80::1%eth0]'], ['[FE80::1%eth0]:1', '[fe80::1%eth1]:1', '[fe80::1]:1'])).toEqual({
      '[FE80::1%eth0]:1': { host: 'fe80::1%eth0', port: 1 },
      '[fe80::1%eth1]:1': 'refused',
      '[fe80::1]:1': 'refused',
    })
  })

  it('takes an IPv4 address that is written as an IPv6 one for what it is', () => {
    const asked = ['10.0.0.1:1', '[::ffff:10.0.0.1]:1', '[::FFFF:a00:1]:1', '[0:0:0:0:0:ffff:0a00:0001]:1']
    for (const allowed of ['10.0.0.1:1', '[::ffff:10.0.0.1]', '[::ffff:a00:1]:1']) {
      expect(Object.values(judge([allowed], asked))).toEqual(asked.map(() => ({ host: '10.0.0.1', port: 1 })))
    }
    // Not mapped, but compatible: another address.
    expect(judge(['10.0.0.1'], ['[::10.0.0.1]:1'])).toEqual({ '[::10.0.0.1]:1': 'refused' })
  })

  it('takes no host, and the address of all interfaces, for this machine', () => {
    const asked = [':3031', '0.0.0.0:3031', '127.0.0.1:3031', '[::ffff:0.0.0.0]:3031', '[0.0.0.0]:3031']
    for (const allowed of [':3031', '127.0.0.1', '0.0.0.0:3031']) {
      expect(Object.values(judge([allowed], asked))).toEqual(asked.map(() => ({ host: '127.0.0.1', port: 3031 })))
    }
    expect(judge(['[::1]'], ['[::]:1', '[0:0::0]:1'])).toEqual({
      '[::]:1': { host: '::1', port: 1 },
      '[0:0::0]:1': { host: '::1', port: 1 },
    })
    expect(judge(['10.0.0.1'], [':1', '[::]:1', '0.0.0.0:1'])).toEqual({
      ':1': 'refused',
      '[::]:1': 'refused',
      '0.0.0.0:1': 'refused',
    })
  })

  it('is a unix socket by its path, whatever way there is written', () => {
    const path = '/run/other.sock'
    const asked = [path, '/run/./other.sock', '//run//other.sock', '/run/x/../other.sock', '/../run/other.sock']
    for (const allowed of asked) {
      expect(Object.values(judge([allowed], asked))).toEqual(asked.map(() => ({ path })))
    }
    expect(
      judge([path], ['/run/other.sock2', '/run/other', '/run', '/run/other.sock/x', '/run/Other.sock', '@/run/other.sock']),
    ).toEqual({
      '/run/other.sock2': 'refused',
      '/run/other': 'refused',
      '/run': 'refused',
      '/run/other.sock/x': 'refused',
      '/run/Other.sock': 'refused',
      '@/run/other.sock': 'refused',
    })
  })

  it('is whatever lies below a directory, and nothing beside it', () => {
    const allowed = ['/run/apps/']
    expect(judge(allowed, ['/run/apps/a.sock', '/run/apps/a/b.sock', '/run/x/../apps/a.sock'])).toEqual({
      '/run/apps/a.sock': { path: '/run/apps/a.sock' },
      '/run/apps/a/b.sock': { path: '/run/apps/a/b.sock' },
      '/run/x/../apps/a.sock': { path: '/run/apps/a.sock' },
    })
    const outside = [
      '/run/apps/../x.sock',
      '/run/apps/a/../../x.sock',
      '/run/apps',
      '/run/apps/',
      '/run/apps/.',
      '/run/apps2/x',
      '@run/apps/x',
    ]
    expect(Object.values(judge(allowed, outside))).toEqual(outside.map(() => 'refused'))
    expect(judge(['/'], ['/a', '@a', 'a:1'])).toEqual({ '/a': { path: '/a' }, '@a': 'refused', 'a:1': 'refused' })
  })

  it('is a relative path from where each side stands', () => {
    expect(judge(['./x.sock', '../run/'], ['/srv/app/x.sock', '/srv/run/y', '/srv/x.sock'])).toEqual({
      '/srv/app/x.sock': { path: '/srv/app/x.sock' },
      '/srv/run/y': { path: '/srv/run/y' },
      '/srv/x.sock': 'refused',
    })
    const path = resolve('x.sock')
    expect(judge([path], ['x.sock', './x.sock', 'y/../x.sock', 'y.sock'])).toEqual({
      'x.sock': { path },
      './x.sock': { path },
      'y/../x.sock': { path },
      'y.sock': 'refused',
    })
  })

  it('is a name in the abstract namespace, letter for letter', () => {
    expect(judge(['@a/../b'], ['@a/../b', '@b', '\0a/../b', '/b', 'b'])).toEqual({
      '@a/../b': { path: '\0a/../b' },
      '@b': 'refused',
      '\0a/../b': { path: '\0a/../b' },
      '/b': 'refused',
      b: 'refused',
    })
  })

  it('is no place for what is no address', () => {
    const permission = permit('*:80', '/')
    expect(() => permission.target('')).toThrow('an empty address')
    expect(() => permission.target('a:99999')).toThrow('is not a number from 1 to 65535')
    expect(() => permission.target('a b:80')).toThrow('is not a name or a number')
    expect(() => permission.target(`/${'x'.repeat(107)}`)).toThrow('is longer than 107 bytes')
    expect(() => permission.target('/a\0b')).toThrow('holds a NUL byte')
  })

  it('is told whole, and on one line', () => {
    expect(() => permit('none').target('10.0.0.1:80')).toThrow(
      /^10\.0\.0\.1:80 is not among the addresses that guests may connect to/,
    )
    expect(() => permit('none').target('/a\nb')).toThrow(/^\/a\\nb is not among/)
  })
})

describe('an address of --allow-connect', () => {
  const faultOf = (...addresses: string[]): string => {
    try {
      permit(...addresses)
      return 'none'
    } catch (error) {
      expect((error as { code: string }).code).toBe('CONFIG_BAD_VALUE')
      return (error as Error).message
    }
  }

  it.each([
    ['http://a.example', 'it is a URL: write host:port'],
    ['unix:/run/x', 'write the path of a unix socket alone'],
    ['::1', 'write an IPv6 address in brackets: [::1]'],
    ['::1:80', 'write an IPv6 address in brackets: [::1:80]'],
    ['3031', 'it is no host: write *:3031 for this port of any host'],
    ['10.0.0.0/8', 'it is a network: name its hosts'],
    ['[2001:db8::]/32', 'it is a network: name its hosts'],
    ['run/x.sock', 'write a relative path as ./run/x.sock'],
    ['a:b:80', 'it is not host:port'],
    ['a]:80', 'it is not host:port'],
    ['a:', "the port '' is not a number from 1 to 65535; a host without one is allowed at any"],
    ['a:*', "the port '*' is not a number from 1 to 65535; a host without one is allowed at any"],
    ['a:0', "the port '0' is not a number from 1 to 65535; a host without one is allowed at any"],
    ['a:65536', "the port '65536' is not a number from 1 to 65535; a host without one is allowed at any"],
    ['[a]:80', "'a' is no IPv6 address"],
    ['[]:80', "'' is no IPv6 address"],
    ['*.example.com:80', "'*.example.com' is no host name"],
    ['a,b', "'a,b' is no host name"],
    ['a b:80', "'a b' is no host name"],
    ['127.1:80', "'127.1' is no IPv4 address"],
    ['256.0.0.1', "'256.0.0.1' is no IPv4 address"],
    ['@', 'there is no name after the @'],
    [`/${'x'.repeat(107)}`, 'it is longer than the 107 bytes that the path of a unix socket may have'],
    [`@${'x'.repeat(107)}`, 'it is longer than the 107 bytes that the path of a unix socket may have'],
  ])('is refused with what is wrong with it: %s', (address, fault) => {
    expect(faultOf('a.example:1', address)).toBe(`allow-connect = ${address}: ${fault}`)
  })

  it('is not none beside others', () => {
    expect(faultOf('none', '10.0.0.1')).toBe('allow-connect = none: it does not go together with other addresses')
    expect(faultOf('none:80', '10.0.0.1')).toBe('none')
  })
})
