// TextEncoder, TextDecoder, atob and btoa say what the host's own say.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { guestValue, mountJs, runJs } from './js-apps.ts'

const samples = ['', 'plain', 'gr\u00fc\u00df', '\u20ac \u{1f600} \u{10ffff}', '\ud800x\udc00', 'a\0b', '\ufeffbom']

describe('TextEncoder', () => {
  it('encodes as the host does', async () => {
    expect(await guestValue(`${JSON.stringify(samples)}.map((text) => Array.from(new TextEncoder().encode(text)))`)).toEqual(
      samples.map((text) => [...new TextEncoder().encode(text)]),
    )
  })

  it('encodes into as much room as there is', async () => {
    expect(
      await runJs(`const room = new Uint8Array(6)
        const result = new TextEncoder().encodeInto('a\\u00e4\\u{1f600}z', room.subarray(0, 5))
        return [result, Array.from(room), new TextEncoder().encodeInto('\\u{1f600}', new Uint8Array(4))]`),
    ).toEqual([{ read: 2, written: 3 }, [0x61, 0xc3, 0xa4, 0, 0, 0], { read: 2, written: 4 }])
  })
})

describe('TextDecoder', () => {
  it('decodes any bytes as the host does', async () => {
    const app = await mountJs(`export default async (request) => {
      const bytes = await request.bytes()
      const label = request.headers.get('label')
      const decode = (options) => { try { return new TextDecoder(label, options).decode(bytes) } catch (error) { return error.name } }
      return Response.json([decode(), decode({ fatal: true }), decode({ ignoreBOM: true })])
    }`)
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom('utf-8', 'latin1', 'utf-16le', 'utf8', 'ascii'),
        async (body, label) => {
          const decode = (options: { fatal?: boolean; ignoreBOM?: boolean }): string => {
            try {
              return new TextDecoder(label, options).decode(body)
            } catch (error) {
              return (error as Error).name
            }
          }
          const response = await app.request({ method: 'POST', body, vars: { HTTP_LABEL: label } })
          expect(JSON.parse(response.text)).toEqual([decode({}), decode({ fatal: true }), decode({ ignoreBOM: true })])
        },
      ),
      { numRuns: 300 },
    )
  })

  it('decodes a stream cut anywhere', async () => {
    const app = await mountJs(`export default async (request) => {
      const bytes = await request.bytes()
      const label = request.headers.get('label')
      const results = new Set()
      for (let first = 0; first <= bytes.length; first++) {
        const decoder = new TextDecoder(label)
        results.add(decoder.decode(bytes.subarray(0, first), { stream: true }) + decoder.decode(bytes.subarray(first), { stream: true }) + decoder.decode())
      }
      const decoder = new TextDecoder(label)
      let byByte = ''
      for (const byte of bytes) byByte += decoder.decode(Uint8Array.of(byte), { stream: true })
      results.add(byByte + decoder.decode())
      return Response.json([...results])
    }`)
    const texts = ['\ufeffgr\u00fc\u00df \u20ac \u{1f600}\u{10ffff}.', 'a\u{1f600}']
    for (const [label, encode] of [
      ['utf-8', (text: string) => Buffer.from(text, 'utf8')],
      ['utf-16le', (text: string) => Buffer.from(text, 'utf16le')],
    ] as const) {
      for (const text of texts) {
        const response = await app.request({ method: 'POST', body: new Uint8Array(encode(text)), vars: { HTTP_LABEL: label } })
        expect(JSON.parse(response.text)).toEqual([text.replace('\ufeff', '')])
      }
    }
    const broken = Uint8Array.of(0xe2, 0x82, 0x41, 0xf0, 0x9f, 0xff, 0xc3)
    const response = await app.request({ method: 'POST', body: broken, vars: { HTTP_LABEL: 'utf-8' } })
    expect(JSON.parse(response.text)).toEqual([new TextDecoder().decode(broken)])
  })

  it('starts anew after a stream has ended', async () => {
    expect(
      await runJs(`const d = new TextDecoder()
        return [d.decode(Uint8Array.of(0xe2), { stream: true }), d.decode(), d.decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))]`),
    ).toEqual(['', '\ufffd', 'a'])
  })

  it('knows its labels and refuses others', async () => {
    expect(
      await runJs(`const d = new TextDecoder('LATIN1', { fatal: true })
        const out = [d.encoding, d.fatal, d.ignoreBOM, new TextEncoder().encoding]
        for (const label of ['nonsense', 'shift_jis']) try { new TextDecoder(label) } catch (error) { out.push(error.name, error.message) }
        try { new TextDecoder().decode('text') } catch (error) { out.push(error.message) }
        return out`),
    ).toEqual([
      'windows-1252',
      true,
      false,
      'utf-8',
      'RangeError',
      'unknown or unsupported encoding: nonsense',
      'RangeError',
      'unknown or unsupported encoding: shift_jis',
      'decode() takes an ArrayBuffer or a view of one',
    ])
  })
})

describe('base64', () => {
  it('is decoded and refused as the host does', async () => {
    const inputs = [
      '',
      'YQ==',
      'YQ',
      'Y Q=\n=',
      'YWJj',
      '/+8=',
      'AAECAw==',
      'a',
      'YQ=',
      '====',
      'YQ===',
      'Y*==',
      'YWI=c',
      '\u00e4',
    ]
    const wanted = inputs.map((input) => {
      try {
        return atob(input)
      } catch (error) {
        return (error as Error).name
      }
    })
    expect(
      await guestValue(
        `${JSON.stringify(inputs)}.map((input) => { try { return atob(input) } catch (error) { return error.name } })`,
      ),
    ).toEqual(wanted)
  })

  it('is made of Latin-1 text only', async () => {
    expect(
      await runJs(
        'try { btoa("\\u0100") } catch (error) { return [btoa("a\\0\\u00ff"), error.name, error.code, error instanceof DOMException] }',
      ),
    ).toEqual(['YQD/', 'InvalidCharacterError', 5, true])
  })
})
