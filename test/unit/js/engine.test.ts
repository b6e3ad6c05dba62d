// The ground the binding stands on: the wasm image, values across the border, what a start costs and what stays behind.
import fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { AsyncContext } from '../../../bindings/js/async-context.ts'
import { Collector } from '../../../bindings/js/collector.ts'
import { Converter, verifyLayout } from '../../../bindings/js/convert.ts'
import { Engine } from '../../../bindings/js/engine.ts'
import { GuestThrow } from '../../../bindings/js/errors.ts'
import { compileImage, type Image, withTableExport } from '../../../bindings/js/wasm-image.ts'
import { wasm } from '../../../host/plugin/web-assembly.ts'

let image: Image
beforeAll(async () => {
  image = await compileImage()
})

const newEngine = async (): Promise<{ engine: Engine; converter: Converter }> => {
  const engine = await Engine.create(image, { memoryLimit: 64 << 20, onHostFault: () => {} })
  return { engine, converter: new Converter(engine) }
}

describe('the image', () => {
  it('is refused when it is no module, cut, or has no exports', () => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
    expect(() => withTableExport(Uint8Array.of(1, 2, 3))).toThrow('the interpreter file is not a WebAssembly module')
    expect(() => withTableExport(Uint8Array.from(header))).toThrow('the interpreter file has no exports')
    expect(() => withTableExport(Uint8Array.from([...header, 7, 0x80]))).toThrow('the interpreter file is cut or damaged')
  })

  it('gets its table as one more export', () => {
    // (module (table 1 funcref) (export "t" (table 0)))
    const module = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 4, 4, 1, 0x70, 0, 1, 7, 5, 1, 1, 0x74, 1, 0)
    const changed = new wasm.Instance(new wasm.Module(withTableExport(module)), {})
    expect(Object.keys(changed.exports)).toEqual(['t', 'polywsgiTable'])
    expect(changed.exports['polywsgiTable']).toBe(changed.exports['t'])
  })
})

describe('Math.random', () => {
  it('is seeded anew for engines that start in the same millisecond', async () => {
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_700_000_000_000)
    try {
      const drawn = new Set<string | undefined>()
      for (let n = 0; n < 3; n += 1) {
        const { engine, converter } = await newEngine()
        drawn.add(converter.text(engine.evaluate('String(Math.random())', 'random.js')))
        expect(Date.now()).toBe(1_700_000_000_000)
      }
      expect(drawn.size).toBe(3)
    } finally {
      now.mockRestore()
    }
  })
})

describe('the context of promises', () => {
  it('is proved at every start, and notices an interpreter that is built otherwise', async () => {
    const { engine } = await newEngine()
    const otherwise = {
      runtime: engine.runtime + 512,
      allocate: (size: number) => engine.allocate(size),
      evaluate: (source: string, file: string) => engine.evaluate(source, file),
      get u32() {
        return engine.u32
      },
      get i32() {
        return engine.i32
      },
    }
    expect(() => new AsyncContext(otherwise as never, false)).toThrow(
      'this build of QuickJS has no list of objects where expected',
    )
    const context = new AsyncContext(engine, false)
    expect(context.current).toBe(0)
    context.current = 17
    expect(context.current).toBe(17)
  })

  it('goes on over collections, whichever of its moments they hit', async () => {
    const { engine } = await newEngine()
    const context = new AsyncContext(engine, false)
    const seen: number[] = []
    const note = engine.newFunction('note', (_argc, argv) => {
      seen.push(context.current - engine.i32[argv >> 2]!)
      return 0
    })
    // Little is kept of much, so that a collection comes every few calls; what is kept is in cycles.
    const script = engine.evaluate(
      `(function (note) {
        const gates = []
        const cycle = (n) => { const it = { n }; it.self = it; return it }
        const wait = async (id, depth) => {
          const kept = cycle(id)
          if (depth > 0) await wait(id, depth - 1)
          else await new Promise((resolve) => gates.push(resolve))
          for (let index = 0; index < 50; index++) cycle(index)
          note(kept.n)
        }
        return (id) => { if (id > 0) wait(id, 3); else for (const open of gates.splice(0).reverse()) open() }
      })`,
      'test.js',
    )
    engine.setValue(0, note)
    const run = engine.call(script, 1)
    const enter = (id: number): void => {
      context.current = id
      engine.setInt(0, id)
      engine.free(engine.call(run, 1))
      context.current = 0
    }
    const last = engine.allocate(4)
    for (let round = 0; round < 20; round += 1) {
      for (let id = 1; id <= 200; id += 1) enter(round * 200 + id)
      enter(0)
      engine.free(engine.enter(() => engine.ffi._QTS_ExecutePendingJob(engine.runtime, -1, last)))
    }
    expect(seen.length).toBe(20 * 200 * 4)
    expect(new Set(seen)).toEqual(new Set([0]))
  })
})

describe('the converter', () => {
  it('proves the layout of values, and notices another one', async () => {
    const { engine, converter } = await newEngine()
    expect(() => verifyLayout(engine, converter)).not.toThrow()
    converter.value = () => 'something else'
    expect(() => verifyLayout(engine, converter)).toThrow('this build of QuickJS keeps values otherwise than expected (probe 0)')
  })

  it('brings any text in and out unchanged', async () => {
    const { engine, converter } = await newEngine()
    const check = (text: string): void => {
      const value = converter.newText(text)
      expect(converter.text(value)).toBe(text)
      engine.free(value)
    }
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), check))
    for (const text of ['\ud800', 'a'.repeat(1_000_000), '\u20ac'.repeat(200_000), '\xff'.repeat(64 * 1024)]) check(text)
  })

  it('brings any bytes in and out unchanged, as bytes and as Latin-1 text', async () => {
    const { engine, converter } = await newEngine()
    const toBytes = engine.evaluate('((buffer) => new Uint8Array(buffer))', 'test.js')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const buffer = converter.newBuffer(bytes)
        engine.setValue(0, buffer)
        const array = engine.call(toBytes, 1)
        expect(converter.value(array)).toEqual(bytes)
        const text = converter.newLatin1(bytes)
        expect(converter.text(text)).toBe(Buffer.from(bytes).toString('latin1'))
        expect(converter.latin1(text)).toEqual(bytes)
        for (const value of [buffer, array, text]) engine.free(value)
      }),
    )
  })

  it('brings any number and integer out unchanged', async () => {
    const { engine, converter } = await newEngine()
    const evaluate = (source: string) => {
      const value = engine.evaluate(source, 'test.js')
      const read = converter.value(value)
      engine.free(value)
      return read
    }
    fc.assert(
      fc.property(fc.double(), (number) => void expect(evaluate(Object.is(number, -0) ? '-0' : `(${number})`)).toBe(number)),
    )
    fc.assert(fc.property(fc.bigInt(), (integer) => void expect(evaluate(`${integer}n`)).toBe(integer)))
  })

  it('brings lists and large integers in unchanged', async () => {
    const { engine, converter } = await newEngine()
    const toText = engine.evaluate(
      '((value) => JSON.stringify(value, (key, v) => typeof v === "bigint" ? v + "n" : v))',
      'test.js',
    )
    const show = (value: number): string => {
      engine.setValue(0, value)
      const shown = engine.call(toText, 1)
      const text = converter.text(shown) as string
      engine.free(shown)
      engine.free(value)
      return text
    }
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.integer(),
            fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
          ),
        ),
        (list) => void expect(JSON.parse(show(converter.newList(list)))).toEqual(JSON.parse(JSON.stringify(list))),
      ),
    )
    fc.assert(
      fc.property(fc.bigInt(), (integer) => {
        const writer = converter.beginBjson()
        writer.bigint(integer)
        expect(show(converter.fromBjson(writer.bytes))).toBe(`"${integer}n"`)
      }),
    )
  })

  it('says when there is no room for a value', async () => {
    const { converter } = await newEngine()
    expect(() => converter.newText('x'.repeat(80 << 20))).toThrow(GuestThrow)
    expect(() => converter.newBuffer(new Uint8Array(80 << 20))).toThrow('out of memory: the interpreter may use 64 MB')
    expect(converter.text(converter.newText('room again'))).toBe('room again')
  })
})

describe('the collector', () => {
  it('collects cycles when asked', async () => {
    const { engine, converter } = await newEngine()
    const collector = new Collector(engine, converter)
    const count = (): number => {
      const usage = engine.ffi._QTS_RuntimeComputeMemoryUsage(engine.runtime, engine.context)
      const objects = engine.getProperty(usage, 'obj_count')
      const value = converter.value(objects) as number
      engine.free(objects)
      engine.free(usage)
      return value
    }
    const before = count()
    engine.free(engine.evaluate('for (let i = 0; i < 1000; i++) { const a = {}; a.self = a }', 'test.js'))
    expect(count()).toBeGreaterThanOrEqual(before + 1000)
    collector.collect()
    expect(count()).toBeLessThan(before + 10)
  })
})
